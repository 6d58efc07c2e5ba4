const IS_FULL = process.env["FAULTS"] === "full";

/** How often a fault is tried: a few times in `npm test`, as often as we promise in `npm run test:faults`. */
export function times({ short, full }: { readonly short: number; readonly full: number }): number {
  return IS_FULL ? full : short;
}

/** What a test of the full counts may take; the short ones have to be quick. */
export const FAULT_TIMEOUT_MS = IS_FULL ? 45 * 60_000 : 120_000;
