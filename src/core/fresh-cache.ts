import type { Clock } from "./clock.ts";

export interface FreshCache<Value> {
  /** The value as it was at most `ageMsMax` ago. Callers that come while it loads share the one load. */
  get(key: string): Promise<Value>;
  /** Whether the key was asked for before: then whatever was checked of it need not be checked again. */
  has(key: string): boolean;
  /** Forgets everything, loads under way included: whoever asks from now on sees what is in the store now. */
  clear(): void;
}

interface Entry<Value> {
  readonly value: Promise<Value>;
  readonly startedAtMs: number;
}

/**
 * Keeps values for so short a time that nobody has to be told of changes. A failed load is not kept, and the number of
 * entries is bounded: keys come from requests, and anybody can make them up.
 */
export function createFreshCache<Value>(deps: {
  readonly clock: Clock;
  readonly ageMsMax: number;
  readonly entriesMax: number;
  readonly load: (key: string) => Promise<Value>;
}): FreshCache<Value> {
  const entries = new Map<string, Entry<Value>>();

  function start(key: string): Promise<Value> {
    // Age counts from the start of the load: what it reads may be as old as that.
    const entry: Entry<Value> = { value: deps.load(key), startedAtMs: deps.clock.nowMs() };
    entries.delete(key);
    entries.set(key, entry);
    entry.value.catch(() => {
      if (entries.get(key) === entry) entries.delete(key);
    });
    const oldest = entries.keys().next();
    if (entries.size > deps.entriesMax && oldest.done === false) entries.delete(oldest.value);
    return entry.value;
  }

  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return start(key);
      const ageMs = deps.clock.nowMs() - entry.startedAtMs;
      // A negative age is a clock that was set back, which must not make an entry live longer.
      return ageMs >= 0 && ageMs < deps.ageMsMax ? entry.value : start(key);
    },
    has: (key) => entries.has(key),
    clear: () => entries.clear(),
  };
}
