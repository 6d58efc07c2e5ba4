import { expect, test } from "vitest";
import { chooseLocale, parseUiLocales } from "./locale.ts";
import { message } from "./messages.ts";
import { askApp } from "./test-server.ts";
import { createTestToolkit } from "./test-toolkit.ts";

test.each<[wanted: readonly string[], locale: string]>([
  [["de"], "de"],
  [["de-AT"], "de"],
  [["DE-at"], "de"],
  [["fr", "de", "en"], "de"],
  [["fr"], "en"],
  [["*"], "en"],
  [[], "en"],
  [["__proto__", "constructor", ""], "en"],
  [[...Array.from({ length: 10 }, () => "fr"), "de"], "en"],
])("of %j the page is in %s", (wanted, locale) => {
  expect(chooseLocale(wanted, ["en", "de"])).toBe(locale);
});

test.each<[parameter: unknown, tags: readonly string[]]>([
  ["de-AT en", ["de-AT", "en"]],
  ["  de  ", ["de"]],
  ["", []],
  [["de", "en"], []],
  [undefined, []],
])("ui_locales of %j asks for %j", (parameter, tags) => {
  expect(parseUiLocales(parameter)).toEqual(tags);
});

async function languageOf(path: string, acceptLanguage: string, uiLocales?: readonly string[]) {
  const { around, views } = createTestToolkit();
  const draw = async (ctx: Parameters<typeof views.render>[0]): Promise<void> =>
    views.render(ctx, "signed-out", { title: message("signedOut.title"), uiLocales, data: { ways: [] } });
  const { headers, body } = await askApp([...around, draw], { path, headers: { "accept-language": acceptLanguage } });
  return { header: headers["content-language"], lang: /<html lang="(\w+)">/.exec(body)?.[1] };
}

test("ui_locales win over Accept-Language, which wins over English", async () => {
  expect(await languageOf("/", "en", ["de"])).toEqual({ header: "de", lang: "de" });
  expect(await languageOf("/?ui_locales=de", "en")).toEqual({ header: "de", lang: "de" });
  expect(await languageOf("/?ui_locales=es", "it, de-CH;q=0.8, en;q=0.5")).toEqual({ header: "de", lang: "de" });
  expect(await languageOf("/", "it")).toEqual({ header: "en", lang: "en" });
});
