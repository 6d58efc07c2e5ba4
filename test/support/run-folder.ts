import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { shareInRun } from "./share-in-run.ts";

declare module "vitest" {
  export interface ProvidedContext {
    runFolder: string;
  }
}

/** A folder for what the test files of one run make for each other; gone with the run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { value, release } = shareInRun("run-folder", () => {
    const folder = mkdtemp(join(tmpdir(), "latchkey-run-"));
    return { value: folder, stop: async () => rm(await folder, { recursive: true, force: true }) };
  });
  project.provide("runFolder", await value);
  return release;
}
