import { execFileSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..");

/** Compiles a project of ours, named by its settings for the compiler, into `folder`, which holds nothing else after it. */
export async function compile(project: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [compiler, "-p", join(ROOT, project), "--outDir", folder], { stdio: "inherit" });
}
