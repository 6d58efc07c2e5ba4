import { ADDRESS_BITS, addressNumber, IPV4_PREFIX_BITS, IPV4_START } from "./address-number.ts";
import { type AddressRanges, createAddressRanges } from "./address-ranges.ts";
import type { Network } from "./place-line.ts";

/** Roughly where an address is; `undefined` when nobody knows, and for what is no address. */
export type PlaceOf = (address: string) => string | undefined;

/** A network with where it is, as a number in the list of places. */
export interface PlacedNetwork extends Network {
  readonly place: number;
}

/** The number that stands for no place. */
const NOWHERE = 0xffff_ffff;

/** IPv4 lies in the midst of IPv6 and is no part of it: a network such as `::/0` says nothing about it. */
const IPV4: PlacedNetwork = { start: IPV4_START, prefixBits: IPV4_PREFIX_BITS, place: NOWHERE };

/** The order of a table: by the first address, and of those with the same one the widest first. */
export function compareNetworks(left: Network, right: Network): number {
  if (left.start === right.start) return left.prefixBits - right.prefixBits;
  return left.start < right.start ? -1 : 1;
}

/** @param networks in any order, none of them twice; @param places what their numbers stand for. */
export function createPlaceTable(networks: readonly PlacedNetwork[], places: readonly string[]): PlaceOf {
  const find = layOut(networks).createSearch();
  return (address) => {
    const number = addressNumber(address);
    return number === undefined ? undefined : places[find(number) ?? NOWHERE];
  };
}

/** Makes ranges that follow each other of networks that lie within each other: where several are, the innermost counts. */
function layOut(networks: readonly PlacedNetwork[]): AddressRanges {
  const ranges = createAddressRanges();
  // The networks around what comes next, the innermost last. Two networks never overlap but as a whole.
  const around: { readonly end: bigint; readonly place: number }[] = [];
  const leaveUntil = (address: bigint): void => {
    for (let inner = around.at(-1); inner !== undefined && inner.end <= address; inner = around.at(-1)) {
      around.pop();
      ranges.begin(inner.end, around.at(-1)?.place ?? NOWHERE);
    }
  };
  // Equals keep their order: if the file has `0.0.0.0/0`, it comes after ours and replaces it.
  for (const network of [IPV4, ...networks].toSorted(compareNetworks)) {
    leaveUntil(network.start);
    ranges.begin(network.start, network.place);
    around.push({ end: endOf(network), place: network.place });
  }
  leaveUntil(1n << BigInt(ADDRESS_BITS));
  return ranges;
}

/** The first address after it. */
function endOf({ start, prefixBits }: Network): bigint {
  return start + (1n << BigInt(ADDRESS_BITS - prefixBits));
}
