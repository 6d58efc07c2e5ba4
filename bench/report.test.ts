import { expect, test } from "vitest";
import { formatTable, median, percentile } from "./report.ts";

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
