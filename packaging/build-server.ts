/**
 * Builds the server as plain JavaScript: `npm run build`, or with another folder than `dist/server`.
 *
 * A checkout runs its TypeScript as it is. Node keeps what strips the types, some 20 MB, for as long as the process
 * lives; a server that runs for weeks is compiled instead. The folder mirrors the checkout and is complete but for
 * `node_modules`; of `src/` it has what the program reaches.
 */
import { cp } from "node:fs/promises";
import { join, resolve } from "node:path";
import { compile, ROOT } from "./compile.ts";

/** What is there as it runs; of these, all but TypeScript is copied. */
const COPIED = ["LICENSE", "package.json", "bin", "config", "examples", "src", "views"];

/** @returns the folder, in which `bin/latchkey.js` starts. */
export async function buildServer(folder = join(ROOT, "dist/server")): Promise<string> {
  await compile("tsconfig.server.json", folder);
  for (const path of COPIED) {
    const filter = (source: string): boolean => !/\.(ts|md)$/.test(source);
    await cp(join(ROOT, path), join(folder, path), { recursive: true, filter });
  }
  return folder;
}

if (import.meta.main) await buildServer(process.argv[2] === undefined ? undefined : resolve(process.argv[2]));
