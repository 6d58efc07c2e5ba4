import { readFileSync } from "node:fs";
import { sourceFile } from "../../core/index.ts";

/**
 * Passwords that are guessed first, in lower case, one to a line. Many are shorter than the least length: they are
 * found again inside longer ones (`Monkey2024!!!`), and the list stays right should the least length ever be lowered.
 */
const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  readFileSync(sourceFile("accounts/passwords/common-passwords.txt"), "utf8").split("\n").filter(Boolean),
);

/** Whether one of the most common passwords is spelled this way. @param folded in lower case. */
export function isListedAsCommon(folded: string): boolean {
  return COMMON_PASSWORDS.has(folded);
}
