/**
 * Roughly where an address is, from a file that the operator makes: we ship no data of this kind and ask nobody.
 *
 * `place-line.ts` reads a line, `places-file.ts` all of them, and `place-table.ts` keeps what they say: ranges of
 * addresses that do not overlap, found by halving.
 *
 * Invariants: the most specific network decides; an IPv4 address is the same place however it is written; a file with
 * any fault is no file, and every fault has its line; what is not known is `undefined` and never a guess.
 */
export { PLACE_LINE_EXAMPLE } from "./place-line.ts";
export { readPlacesFile } from "./places-file.ts";
export type { PlaceOf } from "./place-table.ts";
