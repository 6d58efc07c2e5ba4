/**
 * The texts of the hosted pages, by language. English decides the keys: a language that lacks one does not compile.
 *
 * To add a language: copy the folder `en`, translate it, and add it to {@link catalogues}. See `docs/pages.md`.
 */
import { de } from "./de/index.ts";
import { en } from "./en/index.ts";
import { fr } from "./fr/index.ts";

export type MessageKey = keyof typeof en;

/** One language's texts. */
export type Catalogue = Readonly<Record<MessageKey, string>>;

type SlotNames<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | SlotNames<Rest>
  : never;

/** The names of the slots in the English text of `Key`. */
export type SlotsOf<Key extends MessageKey> = SlotNames<(typeof en)[Key]>;

/** By BCP 47 language tag in lower case. English is the last resort. */
export const catalogues: { readonly en: Catalogue } & Readonly<Record<string, Catalogue>> = { en, de, fr };
