import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

export const ADDRESS_BITS = 128;

/** Where the IPv4 addresses lie among those of IPv6: `::ffff:0:0/96` (RFC 4291, section 2.5.5.2). */
export const IPV4_START = 0xffff_0000_0000n;
export const IPV4_PREFIX_BITS = 96;

/**
 * An address as a number of 128 bits. An IPv4 address has the number of the IPv6 address that stands for it, so that both
 * ways to write it are one; `undefined` for anything that is no address.
 */
export function addressNumber(text: string): bigint | undefined {
  if (isIPv4(text))
    return IPV4_START + BigInt(text.split(".").reduce((number, part) => number * 256 + Number(part), 0));
  // An address with a zone means another one on every machine.
  if (!isIPv6(text) || text.includes("%")) return undefined;
  return ipaddr.IPv6.parse(text).parts.reduce((number, group) => (number << 16n) | BigInt(group), 0n);
}
