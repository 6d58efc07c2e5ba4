import type { TryResult } from "./decide-outcome.ts";

/** How many tries one node has under way at a time. */
export const PLACES_MAX = 64;
export const PLACES_PER_HOST = 4;
/** A host that failed has to show itself with one try before it gets more. */
export const PLACES_PER_FAILING_HOST = 1;

/**
 * Who is being told, and how many more may be. A host that hangs holds its few places until the deadline, one that
 * failed last time a single one, so that the rest is there for those that answer.
 */
export interface Places {
  free(): number;
  /** How many more each host may have that is busy or failed. Any other may have {@link PLACES_PER_HOST}. */
  exceptions(): ReadonlyMap<string, number>;
  /** Holds a place until the try has ended. */
  hold(host: string, trying: Promise<TryResult>): void;
  /** Resolves when nothing is under way. */
  empty(): Promise<void>;
}

export function createPlaces(onFree: () => void): Places {
  const underway = new Map<Promise<void>, string>();
  const failing = new Set<string>();

  async function release(host: string, trying: Promise<TryResult>): Promise<void> {
    const result = await trying;
    if (result.type === "unwanted" || result.type === "unprepared") return;
    const isAnswered = result.type === "answered" && result.status < 500;
    if (isAnswered) failing.delete(host);
    else failing.add(host);
  }

  return {
    free: () => PLACES_MAX - underway.size,
    exceptions() {
      const left = new Map([...failing].map((host) => [host, PLACES_PER_FAILING_HOST]));
      for (const host of underway.values()) left.set(host, (left.get(host) ?? PLACES_PER_HOST) - 1);
      return new Map([...left].map(([host, count]) => [host, Math.max(0, count)]));
    },
    hold(host, trying) {
      const held = release(host, trying).finally(() => {
        underway.delete(held);
        onFree();
      });
      underway.set(held, host);
    },
    async empty() {
      await Promise.all(underway.keys());
    },
  };
}
