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
  return travelFrom(Date.now.bind(Date));
}

/** The same, but time stands still until it is moved: what is to happen within one minute does. */
export function stopTime(): TimeTravel {
  const stoppedAtMs = Date.now();
  return travelFrom(() => stoppedAtMs);
}

function travelFrom(presentMs: () => number): TimeTravel {
  let aheadMs = 0;
  const spy = vi.spyOn(Date, "now").mockImplementation(() => presentMs() + aheadMs);
  onTestFinished(() => spy.mockRestore());
  return {
    advanceSeconds(seconds) {
      aheadMs += seconds * 1000;
    },
  };
}
