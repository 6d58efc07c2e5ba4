const LIGHT = "#ffffff";
const DARK = "#111111";

/**
 * The stylesheet that the configuration writes: the accent color, and a label color on it for browsers that cannot
 * derive one (no relative colors). Loaded after latchkey.css and outside its layers, so that it wins.
 *
 * @param color `#` and six hexadecimal digits.
 */
export function brandStyles(color: string): string {
  return (
    `:root { --brand: ${color}; }\n` +
    `@supports not (color: oklch(from red l c h)) { :root { --on-accent: ${labelOn(color)}; } }\n`
  );
}

/** Our mark in the brand's color, as the icon of the browser's tab. `source` is drawn in white on `#4f46e5`. */
export function brandIcon(source: string, color: string): string {
  return source.replaceAll("#4f46e5", color).replaceAll("#fff", labelOn(color));
}

/** White or near-black: whichever is easier to read on `color`. */
export function labelOn(color: string): string {
  return contrast(color, LIGHT) >= contrast(color, DARK) ? LIGHT : DARK;
}

/** Contrast ratio, 1 to 21. @see WCAG 2.2, "contrast ratio" */
function contrast(left: string, right: string): number {
  const [lighter = 0, darker = 0] = [luminance(left), luminance(right)].sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

/** @see WCAG 2.2, "relative luminance" */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const channel = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
