import type { Authenticator } from "../../core/index.ts";
import { randomOctets } from "../../core/index.ts";

export const CODES_COUNT = 10;
/** 40 bits: eight letters of five bits each. */
const CODE_BYTES = 5;
const LETTERS_COUNT = 8;
/** Crockford's base 32: none of its letters looks like another. Whoever reads one of those left out types its double. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const DOUBLES: Readonly<Record<string, string>> = { o: "0", i: "1", l: "1" };
const CODE = new RegExp(`^[${ALPHABET}]{${LETTERS_COUNT}}$`);
const TYPED_CHARACTERS_MAX = 64;
const PURPOSE = "recovery-code";

/** A new set, as the person sees it: `xxxx-xxxx`. */
export function makeCodes(): readonly string[] {
  return Array.from({ length: CODES_COUNT }, () => {
    const letters = lettersOf(randomOctets(CODE_BYTES));
    return `${letters.slice(0, LETTERS_COUNT / 2)}-${letters.slice(LETTERS_COUNT / 2)}`;
  });
}

function lettersOf(octets: Buffer): string {
  const bits = octets.readUIntBE(0, CODE_BYTES);
  return Array.from({ length: LETTERS_COUNT }, (_, at) =>
    ALPHABET.charAt(Math.floor(bits / 32 ** (LETTERS_COUNT - 1 - at)) % 32),
  ).join("");
}

/** Reads what a person typed as eight letters, in any case, with spaces and hyphens anywhere; `undefined` otherwise. */
export function parseRecoveryCode(typed: string): string | undefined {
  if (typed.length > TYPED_CHARACTERS_MAX) return undefined;
  const compact = typed
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[\s\p{Pd}]/gu, "");
  const code = compact.replaceAll(/[oil]/g, (letter) => DOUBLES[letter] ?? letter);
  return CODE.test(code) ? code : undefined;
}

/** Keyed: 40 bits could be tried out against a plain digest. The account is in it: equal codes have unequal digests. */
export function digestCode(authenticator: Authenticator, accountId: string, code: string): string {
  return authenticator.digest(PURPOSE, valueOf(accountId, parseRecoveryCode(code) ?? ""));
}

/** @param code `undefined` for what is none: it is compared all the same, and never found. */
export function isCodeOf(
  authenticator: Authenticator,
  { accountId, code }: { readonly accountId: string; readonly code: string | undefined },
  digest: string,
): boolean {
  return authenticator.verify(PURPOSE, valueOf(accountId, code ?? "not a code"), digest);
}

function valueOf(accountId: string, code: string): string {
  return `${accountId}:${code}`;
}
