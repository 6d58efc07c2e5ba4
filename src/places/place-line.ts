import { isIPv4 } from "node:net";
import { ADDRESS_BITS, addressNumber, IPV4_PREFIX_BITS } from "./address-number.ts";

const PLACE_CHARACTERS_MAX = 100;

/** How a line is written, for whoever wrote another one. */
export const PLACE_LINE_EXAMPLE = "192.0.2.0/24,Malmö, Sweden";

// What would disturb the page around a place, directional overrides included; joiners stay, several scripts need them.
const NOT_TEXT = /[\p{Cc}\p{Cs}\p{Co}\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF]/u;
/** What a decoder leaves where bytes are not UTF-8. */
const NOT_DECODED = "\uFFFD";

/** A network of 128-bit addresses; that of an IPv4 network lies where IPv4 lies. */
export interface Network {
  /** Its first address. */
  readonly start: bigint;
  readonly prefixBits: number;
}

export type PlaceLine =
  | { readonly kind: "empty" }
  | { readonly kind: "place"; readonly network: Network; readonly place: string }
  /** `problem` goes on from the number of the line, and holds nothing of what it says. */
  | { readonly kind: "faulty"; readonly problem: string };

/** Reads `network,place`. The place is all the rest of the line, commas included, and may be in quotation marks. */
export function parsePlaceLine(line: string): PlaceLine {
  const text = line.trim();
  if (text === "" || text.startsWith("#")) return { kind: "empty" };
  if (text.includes(NOT_DECODED)) return faulty("is not UTF-8");
  const comma = text.indexOf(",");
  if (comma === -1) return faulty("has no comma between a network and a place");
  const network = parseNetwork(unquote(text.slice(0, comma)) ?? "");
  if (network === undefined) return faulty("does not begin with a network such as 192.0.2.0/24 or 2001:db8::/32");
  if (!isFirstAddress(network)) return faulty("gives an address in the midst of its network in place of the first");
  const place = unquote(text.slice(comma + 1));
  if (place === undefined) return faulty("has a quotation mark without another at the end, or one in between");
  if (place === "") return faulty("has no place after the comma");
  if (place.length > PLACE_CHARACTERS_MAX) {
    return faulty(`has a place of more than ${PLACE_CHARACTERS_MAX} characters`);
  }
  if (NOT_TEXT.test(place)) return faulty("has a character that is no text, such as a tab");
  return { kind: "place", network, place };
}

function faulty(problem: string): PlaceLine {
  return { kind: "faulty", problem };
}

/** As spreadsheets quote (RFC 4180, section 2); `undefined` for what begins like that and goes on otherwise. */
function unquote(field: string): string | undefined {
  const text = field.trim();
  if (!text.startsWith('"')) return text;
  const inner = /^"((?:[^"]|"")*)"$/.exec(text)?.[1];
  return inner?.replaceAll('""', '"').trim();
}

function parseNetwork(text: string): Network | undefined {
  const [, address = "", bits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const start = addressNumber(address);
  const prefixBits = Number(bits) + (isIPv4(address) ? IPV4_PREFIX_BITS : 0);
  return start === undefined || prefixBits > ADDRESS_BITS ? undefined : { start, prefixBits };
}

function isFirstAddress({ start, prefixBits }: Network): boolean {
  return BigInt.asUintN(ADDRESS_BITS - prefixBits, start) === 0n;
}
