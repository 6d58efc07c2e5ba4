import { relative } from "node:path";

/**
 * The shorter of a path's absolute and relative spellings. The address of a Unix socket has room for about a hundred
 * bytes (unix(7)), and a checkout deep in a home directory is longer than that.
 */
export function shortestPath(path: string): string {
  const fromHere = relative("", path);
  return fromHere.length < path.length ? fromHere : path;
}
