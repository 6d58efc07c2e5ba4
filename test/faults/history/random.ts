/** Numbers that are the same for the same seed (mulberry32). What the machine does in between is not. */
export interface Random {
  /** From 0 to below 1. */
  next(): number;
  below(count: number): number;
  pick<Item>(items: readonly [Item, ...Item[]]): Item;
  isIn(share: number): boolean;
  /** For somebody who draws at times of its own. */
  fork(): Random;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return {
    next,
    below,
    pick: (items) => items[below(items.length)] ?? items[0],
    isIn: (share) => next() < share,
    fork: () => createRandom(below(0x1_0000_0000)),
  };
}
