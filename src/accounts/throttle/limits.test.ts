import { expect, test } from "vitest";
import { CODE_BUDGET, PASSWORD_BUDGET } from "./limits.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

const waitAfter = ({ waitSeconds }: typeof PASSWORD_BUDGET, failures: number): number | undefined =>
  waitSeconds[Math.min(failures, waitSeconds.length) - 1];

test("waits after wrong passwords grow from nothing to an hour, and the count ends at a hundred [SP 800-63B-4 3.2.2]", () => {
  const minutes = [1, 9, 10, 11, 12, 13, 14, 99].map(
    (failures) => (waitAfter(PASSWORD_BUDGET, failures) ?? 0) / MINUTE,
  );
  expect(minutes).toEqual([0, 0, 15, 20, 30, 45, 60, 60]);
  expect(PASSWORD_BUDGET.failuresMax).toBe(100);
});

test("after every fifth wrong code there is a pause, of 15 minutes at first and of an hour in the end [ASVS 6.3.1]", () => {
  const waits = Array.from({ length: 100 }, (_, at) => waitAfter(CODE_BUDGET, at + 1));
  expect(waits.slice(0, 6)).toEqual([0, 0, 0, 0, 15 * MINUTE, 0]);
  expect([waits[9], waits[14], waits[19], waits[99]]).toEqual([30 * MINUTE, HOUR, HOUR, HOUR]);
  expect(CODE_BUDGET.failuresMax).toBe(100);
});
