import { expect, test } from "vitest";
import { createKeySeals } from "./key-seals.ts";
import { createSealer } from "./sealing.ts";

const [OLD, NEW, NEWEST] = ["o", "n", "t"].map((letter) => letter.repeat(40)) as [string, string, string];
const KEY = Buffer.from("a private key");

const oldOnly = createKeySeals([OLD], "signing-key");
const both = createKeySeals([NEW, OLD], "signing-key");
const newOnly = createKeySeals([NEW], "signing-key");

test("while a new secret makes its way, every node opens what any node sealed", () => {
  const byBoth = both.seal("kid", KEY);
  for (const node of [oldOnly, both, newOnly]) expect(node.open("kid", byBoth)).toEqual(KEY);
  for (const node of [oldOnly, both]) expect(node.open("kid", oldOnly.seal("kid", KEY))).toEqual(KEY);
});

test("a node that has both seals anew what has one seal, and one that has only the old leaves that alone", () => {
  const byOld = oldOnly.seal("kid", KEY);
  expect(oldOnly.isStale(byOld)).toBe(false);
  expect(both.isStale(byOld)).toBe(true);
  const byBoth = both.seal("kid", KEY);
  expect(both.isStale(byBoth)).toBe(false);
  expect(oldOnly.isStale(byBoth)).toBe(false);
});

test("a node that has the new one alone takes the old seal off, and the old secret opens nothing any more", () => {
  expect(newOnly.isStale(both.seal("kid", KEY))).toBe(true);
  const renewed = newOnly.seal("kid", KEY);
  expect(newOnly.isStale(renewed)).toBe(false);
  expect(oldOnly.open("kid", renewed)).toBeUndefined();
  expect(both.open("kid", renewed)).toEqual(KEY);
});

test("three secrets are three seals, in any of which a key is found", () => {
  const sealed = createKeySeals([NEWEST, NEW, OLD], "signing-key").seal("kid", KEY);
  for (const secret of [NEWEST, NEW, OLD])
    expect(createKeySeals([secret], "signing-key").open("kid", sealed)).toEqual(KEY);
  expect(createKeySeals(["x".repeat(40)], "signing-key").open("kid", sealed)).toBeUndefined();
});

test("keys of earlier versions open, which had one seal and are no other", () => {
  const before = createSealer([OLD]).seal("signing-key", KEY, "kid");
  expect(both.open("kid", before)).toEqual(KEY);
  expect(oldOnly.seal("kid", KEY)).toHaveLength(before.length);
});

test("a key that was moved to another row, cut off or changed does not open", () => {
  const sealed = both.seal("kid", KEY);
  expect(both.open("other", sealed)).toBeUndefined();
  for (let length = 0; length < sealed.length / 2; length += 1) {
    expect(both.open("kid", sealed.subarray(0, length))).toBeUndefined();
  }
  const changed = Buffer.from(sealed).fill(0xff, 1);
  expect(both.open("kid", changed)).toBeUndefined();
});
