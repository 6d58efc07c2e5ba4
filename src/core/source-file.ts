import { extname, join } from "node:path";

/**
 * Where a file of `src` lies, by its path from there. A module cannot look beside itself: `npm run build` puts what the
 * server consists of into a few files in a folder of `src`.
 */
export function sourceFile(path: string): string {
  return join(import.meta.dirname, "..", path);
}

/** A program of `src` for another thread or process, by its path without the ending: TypeScript in a checkout, else JavaScript. */
export function sourceProgram(path: string): string {
  return sourceFile(path + extname(import.meta.filename));
}
