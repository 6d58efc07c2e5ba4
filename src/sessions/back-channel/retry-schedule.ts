/** How long a client may be out of reach before we stop trying to tell it of a sign-out. */
export const RETRY_WINDOW_SECONDS = 24 * 60 * 60;

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** What passes between one try and the next. All of it is 23 hours and some minutes: inside the window. */
const PAUSES_SECONDS = [5, 30, 2 * MINUTE, 10 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 8 * HOUR] as const;

export const TRIES_MAX = PAUSES_SECONDS.length + 1;

/** Seconds from the end of the `tries`-th try to the next; `undefined` when there is to be none. */
export function pauseAfter(tries: number): number | undefined {
  return PAUSES_SECONDS[tries - 1];
}
