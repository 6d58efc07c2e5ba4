import { vi } from "vitest";

/** Moves the time of this process, of which oidc-provider reads `Date.now` by itself. It runs on from there. */
export interface TimeTravel {
  advanceSeconds(seconds: number): void;
}

/** Begins at the present; the present comes back with the end of the test (vitest's `restoreMocks`). */
export function startTimeTravel(): TimeTravel {
  const presentMs = Date.now.bind(Date);
  let aheadMs = 0;
  vi.spyOn(Date, "now").mockImplementation(() => presentMs() + aheadMs);
  return {
    advanceSeconds(seconds) {
      aheadMs += seconds * 1000;
    },
  };
}
