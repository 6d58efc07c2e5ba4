import { ageMsOf, type Moment, momentOf, type Platform } from "./platform.ts";

/** Whether what is known may be relied on. Asked by the time of the call: a paused process has heard nothing meanwhile. */
export interface FeedFreshness {
  heartbeat(): void;
  /** A record that nobody here understands is in force until then; true if that is news. */
  distrustUntil(seconds: number): boolean;
  isFresh(): boolean;
  heartbeatAgeMs(): number | undefined;
  /** For what is forgotten when its time has come: a clock that was set forward for a moment does not count. */
  safeNowSeconds(): number;
}

export function createFeedFreshness(platform: Platform, staleAfterMs: number): FeedFreshness {
  const startedAt = momentOf(platform);
  let heartbeatAt: Moment | undefined;
  let distrustedUntil = Number.NEGATIVE_INFINITY;

  function safeNowSeconds(): number {
    const elapsedMs = platform.monotonicMs() - startedAt.monotonicMs;
    return Math.min(platform.nowMs(), startedAt.wallMs + elapsedMs) / 1_000;
  }

  const isUnderstood = (): boolean => safeNowSeconds() >= distrustedUntil;

  return {
    heartbeat() {
      heartbeatAt = momentOf(platform);
    },
    distrustUntil(seconds) {
      const wasUnderstood = isUnderstood();
      distrustedUntil = Math.max(distrustedUntil, seconds);
      return wasUnderstood && !isUnderstood();
    },
    isFresh: () => heartbeatAt !== undefined && ageMsOf(heartbeatAt, platform) < staleAfterMs && isUnderstood(),
    heartbeatAgeMs: () => (heartbeatAt === undefined ? undefined : ageMsOf(heartbeatAt, platform)),
    safeNowSeconds,
  };
}
