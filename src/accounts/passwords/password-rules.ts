import { isListedAsCommon } from "./common-passwords.ts";
import type { PasswordRefusal } from "./password-refusal.ts";
import {
  codePoints,
  foldPassword,
  isPattern,
  isTrivialPadding,
  repeatedUnit,
  withoutSeparators,
  withoutTrivialPadding,
} from "./triviality.ts";

/** In bytes of UTF-8 after NFC. Nothing is cut off: a longer one is refused. */
const PASSWORD_BYTES_MAX = 1_024;

const PRODUCT_NAME = "latchkey";
const OWN_WORD_CHARACTERS_MIN = 3;
const OTHER_LETTERS_MAX = 3;

/** What an attacker who knows the person tries first. */
export interface OwnWords {
  readonly email: string;
  readonly name: string;
}

/**
 * What rules have against a password; `undefined` when nothing (ASVS 6.2.1, 6.2.4, 6.2.9, 6.2.11; NIST SP 800-63B-4, section 3.1.1.2).
 *
 * There are no rules of composition. Refused are lengths out of bounds, the account's own words and the most common
 * passwords, each also with trivial padding (`Monkey2024!!!`, `alice@example1`).
 *
 * @param charactersMin in code points after NFC, so that every script counts alike.
 */
export function checkPassword(password: string, own: OwnWords, charactersMin: number): PasswordRefusal | undefined {
  const normalized = password.normalize("NFC");
  if (Buffer.byteLength(normalized) > PASSWORD_BYTES_MAX) return { fault: "too_long" };
  if (codePoints(normalized).length < charactersMin) return { fault: "too_short", charactersMin };
  const folded = foldPassword(normalized);
  if (isMadeOf(folded, listOwnWords(own))) return { fault: "own_words" };
  return isCommon(folded) ? { fault: "too_common" } : undefined;
}

function isCommon(folded: string): boolean {
  const core = withoutTrivialPadding(folded);
  const spellings = [folded, core, ...listWithoutSeparators(folded)];
  const isListed = spellings.some((text) => isListedAsCommon(text) || isListedAsCommon(repeatedUnit(text)));
  return isListed || isPattern(folded) || isPattern(core);
}

/** Only where the separators separate: a password that is mostly symbols is not the few letters among them. */
function listWithoutSeparators(folded: string): readonly string[] {
  const words = withoutSeparators(folded);
  return words.length * 2 >= folded.length ? [words] : [];
}

/** The words of a person in the form in which passwords are compared with them, the longest first. */
export function listOwnWords({ email, name }: OwnWords): readonly string[] {
  const foldedEmail = foldPassword(email);
  const foldedName = foldPassword(name);
  const words = [PRODUCT_NAME, foldedEmail, ...foldedEmail.split(/[^\p{L}\p{M}\p{N}]+/u)];
  words.push(foldedEmail.replace(/@.*$/s, ""), foldedName, ...foldedName.split(/[^\p{L}\p{M}\p{N}]+/u));
  return [...new Set(words.map(withoutSeparators))]
    .filter((word) => codePoints(word).length >= OWN_WORD_CHARACTERS_MIN)
    .toSorted((left, right) => right.length - left.length);
}

/** Whether the password is one or more of these words and next to nothing else. Longer words come first in `words`. */
function isMadeOf(folded: string, words: readonly string[]): boolean {
  const text = withoutSeparators(folded);
  const rest = words.reduce((remaining, word) => remaining.replaceAll(word, ""), text);
  if (rest === text) return false;
  const letters = codePoints(rest.replaceAll(/\p{N}/gu, ""));
  return letters.length <= OTHER_LETTERS_MAX && isTrivialPadding(rest.replaceAll(/\P{N}/gu, ""));
}
