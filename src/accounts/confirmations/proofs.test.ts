import { expect, test } from "vitest";
import { createAuthenticator, randomToken } from "../../core/index.ts";
import { CONFIRMATION_SECONDS, type ConfirmationPurpose } from "./confirmation.ts";
import { digestMailCode, isMailCode, linkToken, makeCode, readLinkToken } from "./proofs.ts";

const secrets = ["a".repeat(32), "b".repeat(32)] as const;
const authenticator = createAuthenticator(secrets);
const PURPOSES = Object.keys(CONFIRMATION_SECONDS) as readonly ConfirmationPurpose[];
const id = randomToken(16);

test("a link of one kind is none of another", () => {
  for (const purpose of PURPOSES) {
    const token = linkToken(authenticator, purpose, id);
    expect(PURPOSES.filter((other) => readLinkToken(authenticator, [other], token) === id)).toEqual([purpose]);
  }
});

test("a link is good under every secret of the list, and under no other", () => {
  const token = linkToken(createAuthenticator([secrets[1]]), "email", id);
  expect(readLinkToken(authenticator, ["email"], token)).toBe(id);
  expect(readLinkToken(createAuthenticator(["c".repeat(32)]), ["email"], token)).toBeUndefined();
});

test.each(["", "x", `${id}.`, `${id}.${"A".repeat(43)}`, `${id}.${"A".repeat(44)}`, `../${id}`])(
  "%j is no link",
  (token) => {
    expect(readLinkToken(authenticator, PURPOSES, token)).toBeUndefined();
  },
);

test("codes have six digits, also those that begin with zeros, and spread over all of them", () => {
  const codes = Array.from({ length: 5_000 }, makeCode);
  for (const code of codes) expect(code).toMatch(/^\d{6}$/);
  expect(new Set(codes.map(([first]) => first)).size).toBe(10);
  expect(new Set(codes).size).toBeGreaterThan(4_900);
});

test.each(["482913", " 482 913 ", "482-913", "４８２９１３"])("%j is read as the code", (typed) => {
  const digest = digestMailCode(authenticator, id, "482913");
  expect(isMailCode(authenticator, { id, typed }, digest)).toBe(true);
});

test.each(["482914", "", "48291", "4829130", "none", "482913\u0000"])("%j is not the code", (typed) => {
  const digest = digestMailCode(authenticator, id, "482913");
  expect(isMailCode(authenticator, { id, typed }, digest)).toBe(false);
  expect(isMailCode(authenticator, { id, typed }, undefined)).toBe(false);
});

test("a code is of one mail", () => {
  const digest = digestMailCode(authenticator, randomToken(16), "482913");
  expect(isMailCode(authenticator, { id, typed: "482913" }, digest)).toBe(false);
});
