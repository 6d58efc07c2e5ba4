import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { background, type Clock, sha256, stopwatchMs } from "../../core/index.ts";
import type { Redis } from "../../storage/index.ts";
import type { Window } from "./limits.ts";
import { createMemoryCounts } from "./windows-in-memory.ts";
import type { Windows } from "./windows.ts";

/** So long Redis is not asked again after it failed: whoever waits for its deadline waits once. */
const AWAY_MS = 1_000;
/** One line so often, however many attempts come meanwhile. */
const REPORT_EVERY_MS = 60_000;

interface Deps {
  readonly redis: Redis;
  readonly clock: Clock;
  /** Told that Redis does not count, once a minute. */
  readonly reportFailure: (error: unknown) => void;
}

/**
 * Windows for all processes together, in Redis. While it is away each process counts for itself: these limits protect the
 * server, and one that let nobody in would be no protection. What protects an account is never counted here.
 *
 * The limiter goes by Redis' time, which nothing here does. So the window is part of the key: by our own clock, and from
 * key to key at another second, so that not everybody's begins at once. Redis' time only says when it may be forgotten.
 */
export function createWindowsInRedis({ redis, clock, reportFailure }: Deps): Windows {
  const limiters = new Map<string, RateLimiterRedis>();
  const memory = createMemoryCounts();
  let awayUntilMs = 0;
  let quietUntilMs = 0;

  function limiterOf({ name, attemptsMax, seconds }: Window): RateLimiterRedis {
    const found = limiters.get(name);
    if (found !== undefined) return found;
    const keyPrefix = `lk-window:${name}`;
    const limiter = new RateLimiterRedis({ storeClient: redis, points: attemptsMax, duration: seconds, keyPrefix });
    limiters.set(name, limiter);
    return limiter;
  }

  function noteFailure(error: unknown): void {
    awayUntilMs = stopwatchMs() + AWAY_MS;
    if (stopwatchMs() < quietUntilMs) return;
    quietUntilMs = stopwatchMs() + REPORT_EVERY_MS;
    reportFailure(error);
  }

  async function countInRedis(limiter: RateLimiterRedis, key: string): Promise<number | undefined> {
    if (stopwatchMs() < awayUntilMs) return undefined;
    try {
      return (await limiter.consume(key)).consumedPoints;
    } catch (rejection) {
      if (rejection instanceof RateLimiterRes) return rejection.consumedPoints;
      noteFailure(rejection);
      return undefined;
    }
  }

  return {
    async count(window, key) {
      const limiter = limiterOf(window);
      const { id, leftMs } = currentWindow(window, key, clock.nowMs());
      const counted = await countInRedis(limiter, id);
      const memoryKey = `${window.name}:${id}`;
      const undoInRedis = async (): Promise<void> => background(limiter.reward(id, 1), noteFailure);
      if (counted !== undefined) return { attempts: counted, leftMs, undo: undoInRedis };
      const attempts = memory.add(memoryKey, 1);
      return { attempts, leftMs, undo: async () => void memory.add(memoryKey, -1) };
    },
    // Redis forgets by itself.
    sweep: async () => 0,
  };
}

function currentWindow({ seconds }: Window, key: string, nowMs: number) {
  const lengthMs = seconds * 1_000;
  const shiftedMs = nowMs + (sha256(key).readUInt32BE() % lengthMs);
  return { id: `${key}:${Math.floor(shiftedMs / lengthMs)}`, leftMs: lengthMs - (shiftedMs % lengthMs) };
}
