import { expect, test } from "vitest";
import { formatTable, median, medianInterval, percentile } from "./report.ts";

test("the median of an even number of values lies between the middle two", () => {
  expect(median([9, 1, 3, 5])).toBe(4);
  expect(median([9, 1, 3])).toBe(3);
});

test("the 99th percentile of a hundred values is the ninety-ninth", () => {
  const sorted = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(percentile(sorted, 0.99)).toBe(99);
  expect(percentile([7], 0.99)).toBe(7);
});

test("the table puts the variants side by side and compares ours with the customary one", () => {
  const row = { scenario: "token/refresh", metric: "p50_ms", unit: "ms" };
  const table = formatTable([
    { ...row, variant: "customary", value: 4 },
    { ...row, variant: "latchkey", value: 2 },
  ]);
  expect(table.split("\n")[1]?.split(/\s+/)).toEqual(["token/refresh", "p50_ms", "4", "2", "0.50"]);
});

test("scenarios with other variants get a table of their own, without a comparison that means nothing", () => {
  const row = { metric: "p50_ms", unit: "ms" };
  const table = formatTable([
    { ...row, scenario: "refresh", variant: "customary", value: 4 },
    { ...row, scenario: "refresh", variant: "latchkey", value: 2 },
    { ...row, scenario: "revocation", variant: "feed_10", value: 12 },
  ]);
  expect(table.split("\n\n").map((one) => one.split("\n")[0]?.split(/\s{2,}/).length)).toEqual([5, 3]);
});

test("the interval of a median holds the values around the middle, and no more", () => {
  const { median: middle, low, high } = medianInterval(Array.from({ length: 101 }, (_, index) => index));
  expect(middle).toBe(50);
  expect([low, high]).toEqual([40, 60]);
});
