import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkPassword, type OwnWords } from "./password-rules.ts";

const alice = { email: "alice.liddell@wonderland.example", name: "Alice Liddell" };
const verdictOn = (password: string, own: OwnWords = alice): string =>
  checkPassword(password, own, 12)?.fault ?? "acceptable";

describe("a password", () => {
  test("of 12 characters is long enough and of 11 is not [ASVS 6.2.1]", () => {
    expect(verdictOn("vbTq7!mLz0Rw")).toBe("acceptable");
    expect(verdictOn("vbTq7!mLz0R")).toBe("too_short");
  });

  test("is counted in code points after NFC", () => {
    const composed = "\u00E9\u00FC\u00F1\u00E7\u00E0\u00EE\u00F5\u00EB\u00F8\u00E5\u00E2";
    expect(verdictOn(composed.normalize("NFD"))).toBe("too_short");
    expect(verdictOn(`${composed}\u00E6`.normalize("NFD"))).toBe("acceptable");
    expect(verdictOn("🐙🦊🐝🦉🐢🦋🐳🦜🐌🦔🐿")).toBe("too_short");
    expect(verdictOn("🐙🦊🐝🦉🐢🦋🐳🦜🐌🦔🐿🦀")).toBe("acceptable");
  });

  test("of 1,024 bytes is accepted and of 1,025 is not [ASVS 6.2.9]", () => {
    const bytes = (count: number): string =>
      "correct zebra under the stairs ".repeat(40).slice(0, count - 2) + "\u00E9";
    expect(verdictOn(bytes(1_024))).toBe("acceptable");
    expect(verdictOn(bytes(1_025))).toBe("too_long");
  });

  test.each([
    "plum umbrella glacier tuesday",
    "correct zebra under the stairs",
    "   spaces are fine too   ",
    "пять зелёных чайников",
    "五つの緑色のやかんと古い時計台",
    "vbTq7!mLz0RwX%s9",
    "83920174650182",
    "%$;~>?#}(^{=",
    "l%o#v^e&*~<>}{",
    "Alice wonders why clocks tick",
    "dragon83920174650182",
  ])("%j may be chosen: there are no rules of composition [ASVS 6.2.5]", (password) => {
    expect(verdictOn(password)).toBe("acceptable");
  });

  test.each([
    "passwordpassword",
    "PasswordPassword",
    "Password1234",
    "Password2024!!",
    "!!!Monkey2024!!!",
    "monkeymonkeymonkey",
    "qwertyuiop[]",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "iloveyouforever",
    "correct horse battery staple",
    "Correct-Horse-Battery-Staple",
    "ｐａｓｓｗｏｒｄ１２３４",
    "aaaaaaaaaaaa",
    "            ",
    "abcabcabcabc",
    "123456789012",
    "098765432109",
    "abcdefghijkl",
    "zyxwvutsrqpo",
    "🐙🐙🐙🐙🐙🐙🐙🐙🐙🐙🐙🐙",
  ])("%j is too common [ASVS 6.2.4]", (password) => {
    expect(verdictOn(password)).toBe("too_common");
  });

  test.each([
    "alice.liddell@wonderland.example",
    "Alice.Liddell",
    "AliceLiddell1",
    "alicealicealice",
    "Liddell-Alice-1984",
    "wonderland2024!",
    "Latchkey1234",
    "latchkey-alice!",
  ])("%j is made of the account's own words [ASVS 6.2.11]", (password) => {
    expect(verdictOn(password)).toBe("own_words");
  });

  test("of another person's words is accepted", () => {
    expect(verdictOn("Alice.Liddell", { email: "bob@example.com", name: "Bob" })).toBe("acceptable");
  });
});

describe("the list of common passwords", () => {
  const lines = readFileSync(join(import.meta.dirname, "common-passwords.txt"), "utf8")
    .trimEnd()
    .split("\n");

  test("has at least 3,000 entries, each once, in lower case [ASVS 6.2.4]", () => {
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.length).toBeGreaterThanOrEqual(3_000);
    expect(lines.filter((line) => line !== line.toLowerCase() || line.trim() === "")).toEqual([]);
  });

  test("is refused in whole, in lower and in upper case", () => {
    const long = lines.filter((line) => Array.from(line).length >= 12);
    expect(long.length).toBeGreaterThan(1_000);
    const stranger = { email: "q@example.com", name: "Q" };
    expect(long.filter((line) => verdictOn(line, stranger) !== "too_common")).toEqual([]);
    expect(long.filter((line) => verdictOn(line.toUpperCase(), stranger) !== "too_common")).toEqual([]);
  });
});
