import { expect, test } from "vitest";
import { randomOctets, randomReference, randomToken } from "./random.ts";

test("a reference is two groups of four letters that cannot be confused and spell no word", () => {
  const references = Array.from({ length: 2_000 }, randomReference);
  for (const reference of references)
    expect(reference).toMatch(/^[2-9BCDFGHJKLMNPQRTVWXYZ]{4}-[2-9BCDFGHJKLMNPQRTVWXYZ]{4}$/);
  expect(new Set(references).size).toBe(references.length);
});

test("every letter of a reference is equally likely", () => {
  const counts = new Map<string, number>();
  const letters = Array.from({ length: 50_000 }, randomReference).join("").replaceAll("-", "");
  for (const letter of letters) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  expect(counts.size).toBe(28);
  // 14,286 each, with a standard deviation of 117. By remainder alone four of them would come 1,339 times more often.
  const expected = letters.length / counts.size;
  const worst = Math.max(...[...counts.values()].map((count) => Math.abs(count - expected)));
  expect(worst).toBeLessThan(expected * 0.05);
});

test("a token has 256 bits in 43 characters of base64url unless told otherwise", () => {
  expect(randomToken()).toMatch(/^[\w-]{43}$/);
  expect(randomToken(12)).toMatch(/^[\w-]{16}$/);
  expect(randomToken()).not.toBe(randomToken());
});

test("random bytes are as many as were asked for", () => {
  expect(randomOctets(15)).toHaveLength(15);
  expect(randomOctets(15)).not.toEqual(randomOctets(15));
});
