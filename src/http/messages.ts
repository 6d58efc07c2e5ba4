import { dateInWords, instantInWords, type Moment, momentInWords } from "./moments.ts";
import type { Catalogue, MessageKey, SlotsOf } from "../../views/messages/index.ts";

/** What fills a slot: text as it is, or what is put in the language's own words. */
export type SlotValue =
  | string
  | Message
  /** A time from now, in whole seconds. */
  | { readonly inSeconds: number }
  | Moment
  /** A time for who reads it on another day. */
  | { readonly instantMs: number }
  /** The day alone. */
  | { readonly dateMs: number }
  | { readonly list: readonly string[] };

export type Slots = Readonly<Record<string, SlotValue>>;

/** A sentence of the catalogue with what goes into its slots, not yet in any language. */
export interface Message {
  readonly key: MessageKey;
  readonly slots: Slots;
}

/** Texts in one language. `key` may be a {@link Message}, which brings its slots along. */
export interface Translator {
  /** BCP 47 tag of the language. */
  readonly locale: string;
  /** Plain text: still to be escaped by whoever puts it into HTML. */
  text(key: MessageKey | Message, slots?: Slots): string;
  /** Safe HTML: everything is escaped, and `**…**` of the catalogue (never of a slot) becomes `<strong>`. */
  rich(key: MessageKey | Message, slots?: Slots): string;
}

/** A message whose slots the compiler has checked against the English text. */
export function message<Key extends MessageKey>(
  key: Key,
  ...slots: [SlotsOf<Key>] extends [never] ? [] : [Readonly<Record<SlotsOf<Key>, SlotValue>>]
): Message {
  return { key, slots: slots[0] ?? {} };
}

export function createTranslator(locale: string, catalogue: Catalogue): Translator {
  const translate = (key: MessageKey | Message, slots: Slots, prepare: (text: string) => string): string => {
    const wanted = typeof key === "string" ? { key, slots } : key;
    // One pass over the catalogue's text: what stands in a slot is never searched for slots or emphasis again.
    return prepare(catalogue[wanted.key]).replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = wanted.slots[name];
      if (value === undefined) throw new Error(`the text ${wanted.key} needs a value for {${name}}`);
      return prepare === emphasize ? escapeHtml(show(value)) : show(value);
    });
  };
  const show = (value: SlotValue): string => {
    if (typeof value === "string") return value;
    if ("key" in value) return translate(value, {}, (text) => text);
    if ("inSeconds" in value) return fromNow(value.inSeconds, locale);
    if ("atMs" in value) return momentInWords(value, locale);
    if ("instantMs" in value) return instantInWords(value.instantMs, locale);
    if ("dateMs" in value) return dateInWords(value.dateMs, locale);
    return new Intl.ListFormat(locale).format(value.list);
  };
  return {
    locale,
    text: (key, slots = {}) => translate(key, slots, (text) => text),
    rich: (key, slots = {}) => translate(key, slots, emphasize),
  };
}

function emphasize(text: string): string {
  return escapeHtml(text).replace(/\*\*(.+?)\*\*/g, "<strong>$1</strong>");
}

const HTML_ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Makes text inert in HTML, between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML_ENTITIES[character] ?? "");
}

/** "in 40 seconds", "in 5 minutes": rounded up, so that whoever comes back then is not sent away again. */
function fromNow(seconds: number, locale: string): string {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "always" });
  if (seconds < 60) return format.format(Math.max(1, Math.ceil(seconds)), "second");
  if (seconds < 3600) return format.format(Math.ceil(seconds / 60), "minute");
  return format.format(Math.ceil(seconds / 3600), "hour");
}
