import { expect, test } from "vitest";
import { differenceOfMedians, isEquivalent } from "./equivalence.ts";

/** Draws the same numbers in every run. */
function createDraws(): () => number {
  let state = 42;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** Times around one, with some that are far out. */
function timesAround(ms: number, count: number, random: () => number): number[] {
  return Array.from({ length: count }, (_, at) => ms + random() * 10 + (at % 20 === 0 ? 200 * random() : 0));
}

test("series alike are equivalent within 5 ms, and those 8 ms apart are not", () => {
  const random = createDraws();
  const [known, unknown, slower] = [40, 40, 48].map((ms) => timesAround(ms, 500, random));
  const alike = differenceOfMedians(known ?? [], unknown ?? [], random);
  expect(isEquivalent(alike, 5)).toBe(true);
  expect(alike.low).toBeLessThanOrEqual(alike.difference);
  expect(alike.high).toBeGreaterThanOrEqual(alike.difference);
  expect(isEquivalent(differenceOfMedians(slower ?? [], unknown ?? [], random), 5)).toBe(false);
});

test("too few measurements are not enough to call anything equivalent", () => {
  const random = createDraws();
  const few = differenceOfMedians([40, 90, 20, 150], [45, 30, 110, 60], random);
  expect(isEquivalent(few, 5)).toBe(false);
});
