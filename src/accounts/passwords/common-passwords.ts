import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Passwords that are guessed first, in lower case, one to a line. Many are shorter than the least length: they are
 * found again inside longer ones (`Monkey2024!!!`), and the list stays right should the least length ever be lowered.
 */
const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  readFileSync(join(import.meta.dirname, "common-passwords.txt"), "utf8")
    .split("\n")
    .filter(Boolean),
);

/** Whether one of the most common passwords is spelled this way. @param folded in lower case. */
export function isListedAsCommon(folded: string): boolean {
  return COMMON_PASSWORDS.has(folded);
}
