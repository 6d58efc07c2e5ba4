/** The only source of time. Tests pass a clock of their own and move it by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };

/** What the machine's clock shows: the same, but for a test that moves the time of its process. For judging the clock itself. */
export const machineClock: Clock = { nowMs: () => new Date().getTime() };

/** Whole seconds since the Unix epoch, rounded down: the unit of every time in the protocol (RFC 7519, section 2). */
export function epochSeconds(clock: Clock): number {
  return Math.floor(clock.nowMs() / 1000);
}

/** Milliseconds since some moment, for durations: unlike the time of day it is never set, neither forward nor back. */
export function stopwatchMs(): number {
  return performance.now();
}
