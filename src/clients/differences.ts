import { isDeepStrictEqual } from "node:util";

/** One key whose value changes. Absent values are `undefined`. */
export interface Difference {
  readonly key: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** The keys in which two sets of settings differ, in alphabetical order. */
export function differencesBetween(before: object, after: object): readonly Difference[] {
  const from = new Map<string, unknown>(Object.entries(before));
  const to = new Map<string, unknown>(Object.entries(after));
  return [...new Set([...from.keys(), ...to.keys()])]
    .toSorted()
    .map((key) => ({ key, from: from.get(key), to: to.get(key) }))
    .filter((difference) => !isDeepStrictEqual(difference.from, difference.to));
}
