const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** First letters of the first and the last word, in upper case, to stand in for a picture; empty for an empty name. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  return ends.map((word = "") => initialOf(word)).join("");
}

/** The first letter as a reader sees it (a whole emoji, an accented letter), in upper case. */
export function initialOf(text: string): string {
  const [first] = graphemes.segment(text);
  return first?.segment.toUpperCase() ?? "";
}
