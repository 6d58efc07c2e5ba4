// The package is CommonJS whose names Node cannot see.
import ipaddr from "ipaddr.js";

const IPV6_NETWORK_GROUPS = 4; // of 16 bits: a /64

/**
 * What counts as one address: an IPv4 address, also when it is written as IPv6, and the /64 of an IPv6 address, since
 * whoever has one address of a /64 has them all. Text that is no address stands for itself.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  const groups = parsed.parts.slice(0, IPV6_NETWORK_GROUPS).map((group) => group.toString(16));
  return `${groups.join(":")}::/64`;
}
