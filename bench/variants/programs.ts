import { join } from "node:path";
import { buildServer } from "../../packaging/build-server.ts";
import { compile, ROOT } from "../../packaging/compile.ts";

const CUSTOMARY = join(ROOT, "dist/customary");
const LATCHKEY = join(ROOT, "dist/server");

/** The scripts of the servers under test: plain JavaScript, which is how both run for real. */
export const PROGRAMS = {
  customary: join(CUSTOMARY, "bench/customary/server.js"),
  latchkey: join(LATCHKEY, "bin/latchkey.js"),
} as const;

/** Compiles them, so that what is measured is what the checkout says now. */
export async function buildPrograms(): Promise<void> {
  await compile("bench/tsconfig.customary.json", CUSTOMARY);
  await buildServer(LATCHKEY);
}
