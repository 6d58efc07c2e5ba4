import type { Platform } from "./platform.ts";

/**
 * By how much later a heartbeat came than the quickest one of its connection, in milliseconds.
 *
 * Heartbeats that come every second can all be a minute old: a proxy that lets through a little less than what arrives
 * holds back more and more, and never falls silent. Clocks need not agree for this; they have to run at the same pace
 * for as long as a connection lasts, and one that is set makes a new connection, no more.
 */
export interface FeedDelay {
  /** `sentAt` in seconds since the epoch, by the issuer's clock. */
  delayMsOf(sentAt: number): number;
}

export function createFeedDelay(platform: Platform): FeedDelay {
  let quickestMs = Number.POSITIVE_INFINITY;
  return {
    delayMsOf(sentAt) {
      const differenceMs = platform.monotonicMs() - sentAt * 1_000;
      quickestMs = Math.min(quickestMs, differenceMs);
      return differenceMs - quickestMs;
    },
  };
}
