import { type Browser, chromium } from "playwright-core";
import { ensureChromium } from "./binaries.ts";

/** Nothing may leave the machine: Chromium's own errands are switched off. */
const QUIET_FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
] as const;

/** This machine's Chromium, headless. Close it when done. */
export async function startChromium(): Promise<Browser> {
  return await chromium.launch({ executablePath: await ensureChromium(), args: [...QUIET_FLAGS] });
}
