import { median } from "./report.ts";

export interface Difference {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2_000;

/**
 * How far the median of one series is from that of another of as many values, with the interval that holds the true difference in 90 of 100
 * cases. Where that lies within a margin, each of two one-sided tests at 5 % says that the difference is smaller than it:
 * the series are equivalent, which is more than that no difference was found.
 *
 * By drawing from both series anew (a bootstrap), for times are spread like nothing in the books; the same places of both,
 * because what was measured in one moment shared what else the machine did.
 *
 * @param random from 0 to 1, 1 excluded.
 */
export function differenceOfMedians(
  one: readonly number[],
  other: readonly number[],
  random: () => number = Math.random,
): Difference {
  const drawn = Array.from({ length: RESAMPLES }, () => {
    const places = one.map(() => Math.floor(random() * one.length));
    const at = (values: readonly number[]): number[] => places.map((place) => values[place] ?? Number.NaN);
    return median(at(one)) - median(at(other));
  });
  const sorted = drawn.toSorted((left, right) => left - right);
  const at = (share: number): number => sorted[Math.floor(share * (RESAMPLES - 1))] ?? Number.NaN;
  return { difference: median(one) - median(other), low: at(0.05), high: at(0.95) };
}

export function isEquivalent({ low, high }: Difference, margin: number): boolean {
  return low > -margin && high < margin;
}
