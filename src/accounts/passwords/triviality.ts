const PERIOD_MAX = 4;
const TRIVIAL_DIGITS_MAX = 4;
const TRIVIAL_SYMBOLS_MAX = 4;

/** The text's code points, which is how lengths are counted. */
export function codePoints(text: string): readonly string[] {
  return Array.from(text);
}

/** The form in which passwords are compared with words: compatibility forms and upper case make no difference. */
export function foldPassword(password: string): string {
  return password.normalize("NFKC").toLowerCase();
}

/** Letters and digits only: `correct-horse.battery` and `correct horse battery` are the same words. */
export function withoutSeparators(text: string): string {
  return text.replaceAll(/[^\p{L}\p{M}\p{N}]/gu, "");
}

/** The shortest text that gives this one when it is repeated; the text itself when there is none. */
export function repeatedUnit(text: string): string {
  const characters = codePoints(text);
  for (let period = 1; period <= characters.length / 2; period += 1) {
    if (hasPeriod(characters, period)) return characters.slice(0, period).join("");
  }
  return text;
}

/** Whether the text needs no guessing: `aaaaaaaa`, `abcabcabc`, `12345678`, `zyxwvuts`, or nothing at all. */
export function isPattern(text: string): boolean {
  const characters = codePoints(text);
  const longest = Math.min(PERIOD_MAX, Math.floor(characters.length / 2));
  const isPeriodic = Array.from({ length: longest }, (_, index) => index + 1).some((period) =>
    hasPeriod(characters, period),
  );
  return characters.length <= 1 || isPeriodic || isSequence(characters, 1) || isSequence(characters, -1);
}

/** Whether what surrounds a word adds next to nothing to it: a year, `123456`, `!!!`, `#1`. */
export function isTrivialPadding(padding: string): boolean {
  const digits = padding.replaceAll(/\P{N}/gu, "");
  const symbols = padding.replaceAll(/\p{N}/gu, "");
  const isTrivialNumber = digits.length <= TRIVIAL_DIGITS_MAX || isPattern(digits);
  return isTrivialNumber && (symbols.length <= TRIVIAL_SYMBOLS_MAX || isPattern(symbols));
}

/** The text from its first to its last letter when what surrounds that is trivial; otherwise the text itself. */
export function withoutTrivialPadding(text: string): string {
  const core = text.replace(/^\P{L}+/u, "").replace(/\P{L}+$/u, "");
  const start = text.indexOf(core);
  const isTrivial = isTrivialPadding(text.slice(0, start)) && isTrivialPadding(text.slice(start + core.length));
  return isTrivial ? core : text;
}

function hasPeriod(characters: readonly string[], period: number): boolean {
  return characters.every((character, index) => index < period || character === characters[index - period]);
}

/** Steps of one from each character to the next; after 9 comes 0, as on a keyboard. */
function isSequence(characters: readonly string[], step: 1 | -1): boolean {
  return characters.every((character, index) => {
    const previous = characters[index - 1];
    if (previous === undefined) return true;
    if (/^\d\d$/.test(previous + character)) return (Number(previous) + step + 10) % 10 === Number(character);
    return character.codePointAt(0) === (previous.codePointAt(0) ?? 0) + step;
  });
}
