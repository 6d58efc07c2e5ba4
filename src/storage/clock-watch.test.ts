import { describe, expect, onTestFinished, test } from "vitest";
import { watchClock } from "./clock-watch.ts";

const NEVER_MS = 3_600_000;

/** A machine whose clock is off by some milliseconds, beside a database that has the right time. */
async function watchMachine({ offByMs = 0, answersAfterMs = 0 } = {}) {
  const machine = { offByMs, isReachable: true };
  const told: string[] = [];
  const watch = watchClock({
    async readSharedMs() {
      if (!machine.isReachable) throw new Error("the database is away");
      if (answersAfterMs > 0) await new Promise((resolve) => setTimeout(resolve, answersAfterMs));
      return Date.now();
    },
    clock: { nowMs: () => Date.now() + machine.offByMs },
    onChange: (isRight, offBy) => void told.push(`${isRight ? "right" : "wrong"} ${Math.round(offBy / 10_000)}`),
    reportFailure: () => undefined,
    lookEveryMs: NEVER_MS,
  });
  onTestFinished(() => watch.close());
  await watch.start();
  return { machine, watch, told };
}

describe("a clock that is off", () => {
  test.each([0, 30_000, -30_000, 55_000, -55_000])("by %i ms is right", async (offByMs) => {
    expect((await watchMachine({ offByMs })).watch.isRight()).toBe(true);
  });

  test.each([65_000, -65_000, 300_000, -300_000])("by %i ms is wrong, which is told once", async (offByMs) => {
    const { watch, told } = await watchMachine({ offByMs });
    expect(watch.isRight()).toBe(false);
    expect(watch.isRight()).toBe(false);
    expect(told).toEqual([`wrong ${Math.round(offByMs / 10_000)}`]);
  });

  test("is not held against a machine whose database answers late", async () => {
    expect((await watchMachine({ offByMs: 59_900, answersAfterMs: 300 })).watch.isRight()).toBe(true);
  });
});

test.each([300_000, -300_000])("a step of %i ms is noticed before the next look, and its end too", async (stepMs) => {
  const { machine, watch, told } = await watchMachine();
  machine.isReachable = false;
  machine.offByMs = stepMs;
  expect(watch.isRight()).toBe(false);
  machine.offByMs = 0;
  expect(watch.isRight()).toBe(true);
  expect(told).toHaveLength(2);
});

test("without a database there is nothing to compare with, and no start", async () => {
  const readSharedMs = (): Promise<number> => Promise.reject(new Error("the database is away"));
  const watch = watchClock({ readSharedMs, onChange() {}, reportFailure() {} });
  await expect(watch.start()).rejects.toThrow("the database is away");
});
