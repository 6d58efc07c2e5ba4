import type { Clock } from "../../src/core/index.ts";

export interface MovableClock extends Clock {
  passSeconds(seconds: number): void;
}

/** Stands still until it is moved. */
export function createMovableClock(): MovableClock {
  let nowMs = Date.now();
  return {
    nowMs: () => nowMs,
    passSeconds: (seconds) => void (nowMs += seconds * 1_000),
  };
}
