import { onTestFinished, vi } from "vitest";

/** Moves the time of this process, of which oidc-provider reads `Date.now` by itself. It runs on from there. */
export interface TimeTravel {
  advanceSeconds(seconds: number): void;
}

/**
 * Begins at the present, within a test. The present comes back with its end: vitest's `restoreMocks` would leave it to
 * the next test, and the hooks in between, which start and stop servers, to the future.
 */
export function startTimeTravel(): TimeTravel {
  const presentMs = Date.now.bind(Date);
  let aheadMs = 0;
  const spy = vi.spyOn(Date, "now").mockImplementation(() => presentMs() + aheadMs);
  onTestFinished(() => spy.mockRestore());
  return {
    advanceSeconds(seconds) {
      aheadMs += seconds * 1000;
    },
  };
}
