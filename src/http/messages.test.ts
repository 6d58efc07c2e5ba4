import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Catalogue, catalogues } from "../../views/messages/index.ts";
import { createTranslator, escapeHtml, message } from "./messages.ts";

const english = createTranslator("en", catalogues.en);
const slotsIn = (text: string): readonly string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
const views = new URL("../../views/", import.meta.url);
const templates = readdirSync(views, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".eta"));

test.each(Object.entries(catalogues))(
  "the catalogue %s has every text, with the slots of the English one",
  (_, texts) => {
    const isBroken = ([key, text]: readonly [string, string]): boolean =>
      text.trim() === "" || slotsIn(text).join() !== slotsIn(catalogues.en[key as keyof Catalogue]).join();
    expect(Object.keys(texts).sort()).toEqual(Object.keys(catalogues.en).sort());
    expect(Object.entries(texts).filter(isBroken)).toEqual([]);
  },
);

test.each(templates)("%s names only texts that exist", (name) => {
  const source = readFileSync(new URL(name, views), "utf8");
  const keys = [...source.matchAll(/(?:text|rich)\(\s*"([^"]+)"/g)].map(([, key]) => key ?? "");
  expect(keys.filter((key) => !(key in catalogues.en))).toEqual([]);
});

test.each(templates)("%s holds no script, no inline style and no handler", (name) => {
  const source = readFileSync(new URL(name, views), "utf8");
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
