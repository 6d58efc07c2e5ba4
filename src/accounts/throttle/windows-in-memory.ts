/** Counts of this process alone, the newest of them: enough to protect it for as long as Redis is away. */
export interface MemoryCounts {
  add(key: string, by: 1 | -1): number;
}

const KEYS_MAX = 10_000;

export function createMemoryCounts(): MemoryCounts {
  const counts = new Map<string, number>();
  return {
    add(key, by) {
      const count = Math.max(0, (counts.get(key) ?? 0) + by);
      counts.delete(key);
      counts.set(key, count);
      const oldest = counts.keys().next();
      if (counts.size > KEYS_MAX && oldest.done === false) counts.delete(oldest.value);
      return count;
    },
  };
}
