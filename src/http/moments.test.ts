import { expect, test } from "vitest";
import { catalogues } from "../../views/messages/index.ts";
import { createTranslator, message } from "./messages.ts";
import { clockInWords, dateInWords, dayHeading, momentInWords } from "./moments.ts";

const nowMs = Date.UTC(2026, 10, 23, 12);

test.each([
  [Date.UTC(2026, 10, 23, 0, 0), "en", "today, 00:00 UTC"],
  [Date.UTC(2026, 10, 22, 23, 59), "en", "yesterday, 23:59 UTC"],
  [Date.UTC(2026, 10, 21, 9, 12), "en", "21 November 2026, 09:12 UTC"],
  [Date.UTC(2026, 10, 23, 9, 12), "de", "heute, 09:12 UTC"],
  [Date.UTC(2026, 10, 21, 9, 12), "de", "21. November 2026, 09:12 UTC"],
  // A clock of another node may be ahead.
  [Date.UTC(2026, 10, 24, 0, 1), "en", "24 November 2026, 00:01 UTC"],
])("%d in %s is %j", (atMs, locale, words) => {
  expect(momentInWords({ atMs, nowMs }, locale)).toBe(words);
});

test.each([
  [Date.UTC(2026, 10, 23), "en", "Today"],
  [Date.UTC(2026, 10, 22), "de", "Gestern"],
  [Date.UTC(2026, 10, 21), "en", "Saturday 21 November"],
  [Date.UTC(2026, 10, 21), "de", "Samstag, 21. November"],
])("the day of %d in %s is headed %j", (atMs, locale, words) => {
  expect(dayHeading({ atMs, nowMs }, locale)).toBe(words);
});

test("a day and a time of day stand alone, too", () => {
  expect(dateInWords(nowMs, "en")).toBe("23 November 2026");
  expect(clockInWords(Date.UTC(2026, 10, 23, 0, 5), "de")).toBe("00:05");
});

test("a slot takes a moment, a day, a list and another message, each in the language of the page", () => {
  const german = createTranslator("de", catalogues["de"] ?? catalogues.en);
  const when = { atMs: nowMs, nowMs };
  const how = message("method.password");
  expect(german.text(message("devices.signedInHow", { when, how }))).toBe(
    "Angemeldet: heute, 12:00 UTC, mit Ihrem Passwort",
  );
  expect(german.text(message("devices.apps", { apps: { list: ["Notes", "Shop"] } }))).toBe("Apps: Notes und Shop");
  expect(german.text(message("apps.since", { day: { dateMs: nowMs } }))).toBe("Erlaubt am 23. November 2026");
  const device = message("verbatim", { text: "<b>**x**</b>" });
  expect(german.rich(message("apps.oneDevice", { device }))).toContain("&lt;b&gt;**x**&lt;/b&gt;");
});
