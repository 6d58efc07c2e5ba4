import { expect, test } from "vitest";
import { createAuthenticator } from "../../core/index.ts";
import { digestCode, isCodeOf, makeCodes, parseRecoveryCode } from "./codes.ts";

const authenticator = createAuthenticator(["n".repeat(32)]);

test("a set has ten codes of eight letters, none like another", () => {
  const codes = Array.from({ length: 200 }, makeCodes).flat();
  expect(codes).toHaveLength(2_000);
  expect(new Set(codes).size).toBe(2_000);
  for (const code of codes) expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{4}-[0-9a-hjkmnp-tv-z]{4}$/);
});

test("every letter of the alphabet comes up in every place: 40 bits [ASVS 6.5.2]", () => {
  const codes = Array.from({ length: 200 }, makeCodes)
    .flat()
    .map((code) => code.replace("-", ""));
  for (let place = 0; place < 8; place += 1) {
    expect(new Set(codes.map((code) => code.charAt(place))).size).toBe(32);
  }
});

test.each([
  "x0k1-9z7q",
  "X0K1-9Z7Q",
  "x0k19z7q",
  " x0k1 9z7q ",
  "x-0-k-1-9-z-7-q",
  "xokl–9z7q",
  "XOKI-9Z7Q",
  "ｘ０ｋ１－９ｚ７ｑ",
])("%j is read as the same code", (typed) => {
  expect(parseRecoveryCode(typed)).toBe("x0k19z7q");
});

test.each(["", "x0k1-9z7", "x0k1-9z7qq", "x0k1-9z7u", "x0k1_9z7q", "x0k1-9z7é", `x0k1${" ".repeat(57)}9z7q`])(
  "%j is no code",
  (typed) => {
    expect(parseRecoveryCode(typed)).toBeUndefined();
  },
);

test("a digest is of this code of this account, under any secret of the list", () => {
  const digest = digestCode(authenticator, "alice", "x0k1-9z7q");
  const code = "x0k19z7q";
  expect(digest).toMatch(/^[\w-]{43}$/);
  expect(isCodeOf(authenticator, { accountId: "alice", code }, digest)).toBe(true);
  expect(isCodeOf(authenticator, { accountId: "bob", code }, digest)).toBe(false);
  expect(isCodeOf(authenticator, { accountId: "alice", code: "x0k19z7r" }, digest)).toBe(false);
  expect(isCodeOf(authenticator, { accountId: "alice", code: undefined }, digest)).toBe(false);
  const rotated = createAuthenticator(["r".repeat(32), "n".repeat(32)]);
  expect(isCodeOf(rotated, { accountId: "alice", code }, digest)).toBe(true);
  expect(isCodeOf(createAuthenticator(["r".repeat(32)]), { accountId: "alice", code }, digest)).toBe(false);
});
