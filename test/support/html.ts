/** Reads the few things of our own pages that a browser would act on: forms, links, headings. Not a general parser. */

/** What a browser would submit. */
export interface HtmlForm {
  readonly method: string;
  /** As it stands in the page; empty means the page's own URL. */
  readonly action: string;
  /** Every successful control but buttons, as the page filled it in. */
  readonly fields: ReadonlyMap<string, string>;
  readonly buttons: readonly HtmlButton[];
}

interface HtmlButton {
  readonly name: string | undefined;
  readonly value: string;
  readonly action: string | undefined;
  readonly label: string;
}

interface HtmlLink {
  readonly href: string;
  readonly label: string;
}

type Attributes = ReadonlyMap<string, string>;

export function readForms(html: string): readonly HtmlForm[] {
  return elements(html, "form").map(({ attributes, content }) => ({
    method: (attributes.get("method") ?? "get").toLowerCase(),
    action: attributes.get("action") ?? "",
    fields: new Map([...readInputs(content), ...readTextAreas(content), ...readSelects(content)]),
    buttons: elements(content, "button")
      .filter((button) => (button.attributes.get("type") ?? "submit") === "submit")
      .map((button) => ({
        name: button.attributes.get("name"),
        value: button.attributes.get("value") ?? "",
        action: button.attributes.get("formaction"),
        label: textOf(button.content),
      })),
  }));
}

export function readLinks(html: string): readonly HtmlLink[] {
  return elements(html, "a").map(({ attributes, content }) => ({
    href: attributes.get("href") ?? "",
    label: textOf(content),
  }));
}

/** The text of the first `h1`; empty when there is none. */
export function readHeading(html: string): string {
  return textOf(elements(html, "h1")[0]?.content ?? "");
}

/** Text as a person reads it: no tags, one space between words. */
export function textOf(html: string): string {
  return decodeEntities(html.replace(/<[^>]*>/g, " "))
    .replace(/\s+/g, " ")
    .trim();
}

function readInputs(html: string): [string, string][] {
  return [...html.matchAll(/<input\b([^>]*)>/gi)].flatMap(([, source = ""]): [string, string][] => {
    const attributes = readAttributes(source);
    const [name, type] = [attributes.get("name"), attributes.get("type") ?? "text"];
    const isLeftOut = attributes.has("disabled") || ["submit", "button", "reset", "image", "file"].includes(type);
    const isUnchecked = ["checkbox", "radio"].includes(type) && !attributes.has("checked");
    if (name === undefined || isLeftOut || isUnchecked) return [];
    return [[name, attributes.get("value") ?? (type === "checkbox" ? "on" : "")]];
  });
}

function readTextAreas(html: string): [string, string][] {
  return elements(html, "textarea").map(({ attributes, content }) => [
    attributes.get("name") ?? "",
    decodeEntities(content),
  ]);
}

function readSelects(html: string): [string, string][] {
  return elements(html, "select").map(({ attributes, content }) => {
    const options = elements(content, "option");
    const chosen = options.find((option) => option.attributes.has("selected")) ?? options[0];
    return [attributes.get("name") ?? "", chosen?.attributes.get("value") ?? textOf(chosen?.content ?? "")];
  });
}

function elements(html: string, tag: string): { attributes: Attributes; content: string }[] {
  const pattern = new RegExp(`<${tag}\\b([^>]*)>([\\s\\S]*?)</${tag}>`, "gi");
  return [...html.matchAll(pattern)].map(([, source = "", content = ""]) => ({
    attributes: readAttributes(source),
    content,
  }));
}

function readAttributes(source: string): Attributes {
  const pattern = /([^\s"'=<>/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g;
  return new Map(
    [...source.matchAll(pattern)].map(([, name = "", double, single, bare]) => [
      name.toLowerCase(),
      decodeEntities(double ?? single ?? bare ?? ""),
    ]),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

function decodeEntities(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi, (whole, hex?: string, decimal?: string, name = "") => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return ENTITIES[String(name).toLowerCase()] ?? whole;
  });
}
