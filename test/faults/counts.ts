const IS_FULL = process.env["FAULTS"] === "full";

/** How often, or for what, a fault is tried: little in `npm test`, as much as we promise in `npm run test:faults`. */
export function times<Value>({ short, full }: { readonly short: Value; readonly full: Value }): Value {
  return IS_FULL ? full : short;
}

/** Prints what a test measured, so that a run leaves the figures that docs/operations/faults.md quotes. */
export function printFigure(figure: string): void {
  process.stdout.write(`${figure}\n`);
}

/** What a test of the full counts may take; the short ones have to be quick. */
export const FAULT_TIMEOUT_MS = IS_FULL ? 45 * 60_000 : 120_000;
