import { describe, expect, test } from "vitest";
import { parseEmail } from "./email-address.ts";

const foldOf = (typed: string): string | undefined => parseEmail(typed)?.folded;

describe("an e-mail address", () => {
  test.each([
    ["alice@example.com", "alice@example.com"],
    ["  Alice@Example.COM\t\n", "alice@example.com"],
    ["ＡＬＩＣＥ＠ｅｘａｍｐｌｅ．ｃｏｍ", undefined],
    ["ＡＬＩＣＥ@ｅｘａｍｐｌｅ.com", "alice@example.com"],
    ["Zoe\u0308@example.com", "zo\u00EB@example.com"],
    ["max@BÜCHER.example", "max@xn--bcher-kva.example"],
    ["max@bu\u0308cher.example", "max@xn--bcher-kva.example"],
    ["max@xn--bcher-kva.example", "max@xn--bcher-kva.example"],
    ["\u212Aelvin@example.com", "kelvin@example.com"],
    ["o'brien+shop@mail.example.co.uk", "o'brien+shop@mail.example.co.uk"],
  ])("%j folds to %j [ASVS 6.3.1]", (typed, folded) => {
    expect(foldOf(typed)).toBe(folded);
  });

  test.each([
    ["a.lice@example.com", "alice@example.com"],
    ["alice+shop@example.com", "alice@example.com"],
    ["m\u0131ke@example.com", "mike@example.com"],
    ["аlice@example.com", "alice@example.com"],
  ])("%j and %j are two addresses", (left, right) => {
    expect(foldOf(left)).toBeDefined();
    expect(foldOf(left)).not.toBe(foldOf(right));
  });

  test("keeps its local part as typed and its domain in ASCII", () => {
    expect(parseEmail(" Alice.B@BÜCHER.example ")?.address).toBe("Alice.B@xn--bcher-kva.example");
  });

  test("folds to itself once folded", () => {
    for (const typed of ["İpek@example.com", "ΑΣ@example.com", "STRASSE@faß.de", "ﬁ@example.com"]) {
      const folded = foldOf(typed) ?? "";
      expect(foldOf(folded)).toBe(folded);
    }
  });

  test.each([
    "",
    "alice",
    "@example.com",
    "alice@",
    "alice@localhost",
    "alice@127.0.0.1",
    "alice@[127.0.0.1]",
    "alice@example.com.",
    "alice@.example.com",
    "alice@exa_mple.com",
    "alice@-example.com",
    "alice@example.com/path",
    "alice@example.com:25",
    "alice@exam%70le.com",
    "alice@evil.example@example.com",
    "alice bob@example.com",
    "alice@example.com\r\nbcc:mallory@example.com",
    "alice@example.com,mallory@example.com",
    "<alice@example.com>",
    '"alice"@example.com',
    ".alice@example.com",
    "alice.@example.com",
    "al..ice@example.com",
    "ali\u200Bce@example.com",
    "alice\uFE0F@example.com",
    "al\u0000ice@example.com",
  ])("%j is none", (typed) => {
    expect(parseEmail(typed)).toBeUndefined();
  });

  test("has a local part of 64 bytes at most and 254 bytes in all [RFC 5321 4.5.3.1]", () => {
    const domainOf = (length: number): string => `${"d".repeat(60)}.`.repeat(4).slice(0, length - 4) + ".com";
    expect(foldOf(`${"a".repeat(64)}@example.com`)).toBeDefined();
    expect(foldOf(`${"a".repeat(65)}@example.com`)).toBeUndefined();
    expect(foldOf(`${"a".repeat(64)}@${domainOf(189)}`)).toHaveLength(254);
    expect(foldOf(`${"a".repeat(64)}@${domainOf(190)}`)).toBeUndefined();
  });
});
