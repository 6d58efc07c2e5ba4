import { ADDRESS_BITS } from "./address-number.ts";

const HALF_BITS = 64;
const END_OF_ADDRESSES = 1n << BigInt(ADDRESS_BITS);

/** Ranges of addresses, each with a number, that follow each other without a gap. */
export interface AddressRanges {
  /** Begins a range, which goes to the next one. What begins where the last one began stands in its stead. */
  begin(start: bigint, value: number): void;
  /** Everything that was begun, kept in 20 bytes a range; `undefined` is the answer before the first of them. */
  createSearch(): (address: bigint) => number | undefined;
}

export function createAddressRanges(): AddressRanges {
  const starts: bigint[] = [];
  const values: number[] = [];
  return {
    begin(start, value) {
      if (start === END_OF_ADDRESSES) return;
      if (starts.at(-1) === start) values.pop();
      else starts.push(start);
      values.push(value);
    },
    createSearch: () => createSearch(packStarts(starts), Uint32Array.from(values)),
  };
}

/** Two halves of 64 bits for each: as objects they would take three times as much. */
function packStarts(starts: readonly bigint[]): BigUint64Array {
  const packed = new BigUint64Array(2 * starts.length);
  for (const [index, start] of starts.entries()) {
    packed[2 * index] = start >> BigInt(HALF_BITS);
    packed[2 * index + 1] = BigInt.asUintN(HALF_BITS, start);
  }
  return packed;
}

/** Halves the list until the last range is found that does not begin after the address. */
function createSearch(starts: BigUint64Array, values: Uint32Array): (address: bigint) => number | undefined {
  const startOf = (index: number): bigint =>
    ((starts[2 * index] ?? 0n) << BigInt(HALF_BITS)) | (starts[2 * index + 1] ?? 0n);
  return (address) => {
    let [low, high] = [0, values.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (startOf(middle) > address) high = middle;
      else low = middle + 1;
    }
    return values[low - 1];
  };
}
