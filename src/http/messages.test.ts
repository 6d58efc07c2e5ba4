import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Catalogue, catalogues } from "../../views/messages/index.ts";
import { createTranslator, escapeHtml, message } from "./messages.ts";

const english = createTranslator("en", catalogues.en);
const slotsIn = (text: string): readonly string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
const views = new URL("../../views/", import.meta.url);
const src = new URL("../", import.meta.url);
const templates = filesOf(views, /\.eta$/);
const translations = Object.entries(catalogues).filter(([locale]) => locale !== "en");
/** What is no longer than this may be a name that many languages share. */
const NAME_LENGTH_MAX = 20;

/** What may name a text: every template, and the source without its tests. */
const sources = [
  ...templates.map((name) => new URL(name, views)),
  ...filesOf(src, /(?<!\.test)\.ts$/).map((name) => new URL(name, src)),
]
  .map((file) => readFileSync(file, "utf8"))
  .join("\n");

/** Keys that stand nowhere as a whole; the group is what does. Keep this short: who searches for a key is to find it. */
const COMPUTED = [
  // `failureText` in failure-texts.ts, of the kinds that it lists.
  /^failure\.(\w+)\.(?:title|text)$/,
];

function filesOf(folder: URL, pattern: RegExp): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => pattern.test(name));
}

test.each(Object.entries(catalogues))(
  "the catalogue %s has every text, with the slots of the English one",
  (_, texts) => {
    const isBroken = ([key, text]: readonly [string, string]): boolean =>
      text.trim() === "" || slotsIn(text).join() !== slotsIn(catalogues.en[key as keyof Catalogue]).join();
    expect(Object.keys(texts).sort()).toEqual(Object.keys(catalogues.en).sort());
    expect(Object.entries(texts).filter(isBroken)).toEqual([]);
  },
);

test.each(translations)(
  "the catalogue %s is translated: no text of more than a few words is the English one",
  (_, texts) => {
    const isEnglish = ([key, text]: readonly [string, string]): boolean =>
      text.length > NAME_LENGTH_MAX && text === catalogues.en[key as keyof Catalogue];
    expect(Object.entries(texts).filter(isEnglish)).toEqual([]);
  },
);

test("in French no line breaks before a sign that stands apart from its word, and apostrophes are curved", () => {
  const isBroken = (text: string): boolean => /[^\u202f][;!?]|[^\u00a0]:|'/.test(text);
  expect(Object.values(catalogues["fr"] ?? {}).filter(isBroken)).toEqual([]);
});

test.each(templates)("%s names only texts that exist", (name) => {
  const source = readFileSync(new URL(name, views), "utf8");
  const keys = [...source.matchAll(/(?:text|rich|say)\(\s*"([^"]+)"/g)].map(([, key]) => key ?? "");
  expect(keys.filter((key) => !(key in catalogues.en))).toEqual([]);
});

test("every text is used: its key stands in a template or in the source", () => {
  const keys = Object.keys(catalogues.en);
  const writtenPartOf = (key: string): string => COMPUTED.map((each) => each.exec(key)?.[1]).find(Boolean) ?? key;
  expect(keys.filter((key) => !sources.includes(`"${writtenPartOf(key)}"`))).toEqual([]);
  expect(COMPUTED.filter((each) => !keys.some((key) => each.test(key)))).toEqual([]);
});

const OWN_SCRIPT = '<script src="<%= it.assets.urlOf(name) %>" defer></script>';

/** A mail has no stylesheet but its own; what else it may not have, its tests say. */
const pages = templates.filter((name) => !name.startsWith("mail/"));

test.each(pages)("%s holds no script but files of ours, no inline style and no handler", (name) => {
  const source = readFileSync(new URL(name, views), "utf8").replaceAll(OWN_SCRIPT, "");
  expect(source).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i);
});

test("emphasis comes from the catalogue and never from a slot", () => {
  const html = english.rich("signIn.toClient", { client: "**<b>Shop</b>**" });
  expect(html).toBe("to continue to <strong>**&lt;b&gt;Shop&lt;/b&gt;**</strong>");
});

test("a slot's text is not searched for slots again", () => {
  const slots = { client: "{brand}", brand: "Latchkey" };
  expect(english.text("createAccount.toClient", slots)).toContain("**{brand}**");
});

test("a text whose slot has no value is a bug, not an empty page", () => {
  expect(() => english.text("signIn.toClient")).toThrow(/\{client\}/);
});

test.each([
  [1, "in 1 second"],
  [59, "in 59 seconds"],
  [61, "in 2 minutes"],
  [300, "in 5 minutes"],
  [3_601, "in 2 hours"],
])("a wait of %d seconds is told as %j, never too short", (inSeconds, words) => {
  expect(english.text(message("failure.retry", { when: { inSeconds } }))).toBe(`You can try again ${words}.`);
});

test("escaping leaves nothing that HTML reads", () => {
  expect(escapeHtml(`<a href="x" title='y'>&`)).toBe("&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;");
});
