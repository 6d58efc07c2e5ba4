const NAME_CHARACTERS_MAX = 200;
const LOCALE_CHARACTERS_MAX = 35; // RFC 5646, section 4.4.1

// Control characters and line ends have no place in a name; directional overrides would let a name rewrite the page
// around it (CVE-2021-42574 is the same trick in source code). Joiners stay: several scripts need them.
const FORBIDDEN_IN_NAME = /[\p{Cc}\p{Cs}\p{Co}\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF]/u;
const VISIBLE = /[\p{L}\p{N}\p{S}\p{P}]/u;

/** Reads a person's name: NFC, white space trimmed and single; `undefined` when it is empty, too long or not text. */
export function parseName(typed: string): string | undefined {
  return parseVisibleText(typed, NAME_CHARACTERS_MAX);
}

/** Reads a line that a page will show, such as the name of a person or a thing, by the rules of {@link parseName}. */
export function parseVisibleText(typed: string, charactersMax: number): string | undefined {
  const text = typed.normalize("NFC").trim().replaceAll(/ {2,}/g, " ");
  const isVisible = text.length <= charactersMax && VISIBLE.test(text) && !FORBIDDEN_IN_NAME.test(text);
  return isVisible ? text : undefined;
}

/** Reads a BCP 47 language tag into its canonical case; `undefined` when it is none. */
export function parseLocale(typed: string): string | undefined {
  if (typed.length > LOCALE_CHARACTERS_MAX) return undefined;
  try {
    return Intl.getCanonicalLocales(typed)[0];
  } catch {
    return undefined;
  }
}
