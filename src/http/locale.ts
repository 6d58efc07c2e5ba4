const TAGS_MAX = 10;

/**
 * The first language that we have, in order of preference; English when there is none.
 *
 * A regional variant finds its language (`de-AT` reads `de`). Tags beyond the tenth are not looked at.
 *
 * @param wanted BCP 47 tags, untrusted.
 * @param available tags of the catalogues, in lower case.
 * @see OpenID Connect Core 1.0, section 3.1.2.1 (`ui_locales`)
 */
export function chooseLocale(wanted: readonly string[], available: readonly string[]): string {
  for (const tag of wanted.slice(0, TAGS_MAX)) {
    const folded = tag.toLowerCase();
    const language = folded.split("-", 1)[0] ?? folded;
    const found = [folded, language].find((candidate) => available.includes(candidate));
    if (found !== undefined) return found;
  }
  return "en";
}

/** Reads a `ui_locales` parameter: space-separated tags. Anything but one string asks for nothing. */
export function parseUiLocales(parameter: unknown): readonly string[] {
  if (typeof parameter !== "string") return [];
  return parameter.slice(0, 200).split(" ", TAGS_MAX).filter(Boolean);
}
