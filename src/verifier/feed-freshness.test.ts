import { describe, expect, test } from "vitest";
import { createFeedFreshness } from "./feed-freshness.ts";
import { type Platform, systemPlatform } from "./platform.ts";

const NOW_MS = 1_800_000_000_000;

function createClocks() {
  const clocks = { wallMs: NOW_MS, monotonicMs: 5_000 };
  const platform: Platform = { ...systemPlatform, nowMs: () => clocks.wallMs, monotonicMs: () => clocks.monotonicMs };
  const pass = (elapsedMs: number): void => {
    clocks.wallMs += elapsedMs;
    clocks.monotonicMs += elapsedMs;
  };
  return { clocks, pass, freshness: createFeedFreshness(platform, 3_000) };
}

describe("freshness", () => {
  test("begins with the first heartbeat and lasts for less than staleAfterMs", () => {
    const { freshness, pass } = createClocks();
    expect([freshness.isFresh(), freshness.heartbeatAgeMs()]).toEqual([false, undefined]);
    freshness.heartbeat();
    pass(2_999);
    expect([freshness.isFresh(), freshness.heartbeatAgeMs()]).toEqual([true, 2_999]);
    pass(1);
    expect(freshness.isFresh()).toBe(false);
  });

  test.each([
    ["a wall clock that is set back", -3_600_000, 3_000],
    ["a monotonic clock that stands still", 3_000, 0],
  ])("is not prolonged by %s", (_what, wallMs, monotonicMs) => {
    const { freshness, clocks } = createClocks();
    freshness.heartbeat();
    clocks.wallMs += wallMs;
    clocks.monotonicMs += monotonicMs;
    expect(freshness.isFresh()).toBe(false);
  });

  test("is denied while a record that is not understood is in force, which is news once", () => {
    const { freshness, pass } = createClocks();
    expect(freshness.distrustUntil(NOW_MS / 1_000 + 600)).toBe(true);
    expect(freshness.distrustUntil(NOW_MS / 1_000 + 500)).toBe(false);
    freshness.heartbeat();
    expect(freshness.isFresh()).toBe(false);
    pass(600_000);
    freshness.heartbeat();
    expect(freshness.isFresh()).toBe(true);
  });

  test("is not news of a record that has expired", () => {
    const { freshness } = createClocks();
    expect(freshness.distrustUntil(NOW_MS / 1_000)).toBe(false);
  });

  test("a clock that is set forward for a moment makes nothing forgotten", () => {
    const { freshness, clocks } = createClocks();
    freshness.distrustUntil(NOW_MS / 1_000 + 600);
    clocks.wallMs += 3_600_000;
    freshness.heartbeat();
    expect(freshness.isFresh()).toBe(false);
    expect(freshness.safeNowSeconds()).toBe(NOW_MS / 1_000);
  });
});
