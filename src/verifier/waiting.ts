import { createDeferred } from "./deferred.ts";
import type { Platform } from "./platform.ts";

/** What the promise resolves to, or nothing if it takes longer. */
export async function within<Value>(
  promise: Promise<Value>,
  delayMs: number,
  platform: Platform,
): Promise<Value | undefined> {
  const timeout = createDeferred<undefined>();
  const cancel = platform.setTimer(() => timeout.resolve(undefined), delayMs);
  try {
    return await Promise.race([promise, timeout.promise]);
  } finally {
    cancel();
  }
}

/**
 * The same as the promise, unless the signal ends the wait. It does so by itself: a `fetch` that wraps its arguments into
 * a `Request` loses the signal as soon as that is garbage, and what it gave would be waited for without end.
 *
 * @throws the reason of the signal.
 */
export async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const aborted = createDeferred<undefined>();
  const end = (): void => aborted.resolve(undefined);
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  try {
    return await Promise.race([promise, aborted.promise.then(() => Promise.reject<Value>(signal.reason))]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

/** Resolves after the delay, or as soon as the signal ends it. */
export async function pause(delayMs: number, signal: AbortSignal, platform: Platform): Promise<void> {
  if (signal.aborted) return;
  const over = createDeferred<undefined>();
  const finish = (): void => over.resolve(undefined);
  const cancel = platform.setTimer(finish, delayMs);
  signal.addEventListener("abort", finish);
  await over.promise;
  cancel();
  signal.removeEventListener("abort", finish);
}

const DELAY_MS_MIN = 50;
const DELAY_MS_MAX = 5_000;
/** 50 ms doubled seven times is past the longest delay. */
const DOUBLINGS_MAX = 7;

/** Doubles from 50 ms to 5 s, by a random half, so that services that lost one issuer do not come back at once. */
export function delayMsAfter(failures: number, platform: Platform): number {
  const longestMs = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** Math.min(failures, DOUBLINGS_MAX));
  return longestMs * (0.5 + platform.random() / 2);
}
