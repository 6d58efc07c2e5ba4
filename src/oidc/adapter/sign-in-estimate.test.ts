import { expect, test } from "vitest";
import { artifactKey, newTag, newTaggedSecret, signInKey } from "./identifiers.ts";
import { estimateFrom } from "./sign-in-estimate.ts";

const signIns = (count: number): string[] => Array.from({ length: count }, () => signInKey(newTag()));
const codes = (count: number): string[] =>
  Array.from({ length: count }, () => artifactKey("c", newTaggedSecret(newTag())));

test("a store that was seen whole is counted, without what is no sign-in", () => {
  const keys = [...signIns(7), ...codes(5), artifactKey("n", "an interaction"), "lk:epoch"];
  expect(estimateFrom({ keys, total: undefined })).toBe(7);
});

test("of a larger one the share of sign-ins stands for all", () => {
  expect(estimateFrom({ keys: [...signIns(900), ...codes(100)], total: 3_000_000 })).toBe(2_700_000);
});

test("an empty store has none, whatever is said of its size", () => {
  expect(estimateFrom({ keys: [], total: 12 })).toBe(0);
});
