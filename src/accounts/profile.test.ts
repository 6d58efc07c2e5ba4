import { describe, expect, test } from "vitest";
import { parseLocale, parseName } from "./profile.ts";

describe("a name", () => {
  test.each([
    ["  Alice  Liddell ", "Alice Liddell"],
    ["Zoe\u0308", "Zo\u00EB"],
    ["王伟", "王伟"],
    ["نرگس\u200Cسادات", "نرگس\u200Cسادات"],
    ["<script>alert(1)</script>", "<script>alert(1)</script>"],
    ["a".repeat(200), "a".repeat(200)],
  ])("%j is kept as %j", (typed, name) => {
    expect(parseName(typed)).toBe(name);
  });

  test.each(["", "   ", "\u200D", "a\u0000b", "a\nb", "\u202Eecila", "a\u2066b", "\uD800", "a".repeat(201)])(
    "%j is none",
    (typed) => {
      expect(parseName(typed)).toBeUndefined();
    },
  );
});

describe("a locale", () => {
  test.each([
    ["en", "en"],
    ["DE-at", "de-AT"],
    ["zh-hant-tw", "zh-Hant-TW"],
    ["", undefined],
    ["english please", undefined],
    ["../../etc", undefined],
    ["x".repeat(36), undefined],
  ])("%j is read as %j", (typed, locale) => {
    expect(parseLocale(typed)).toBe(locale);
  });
});
