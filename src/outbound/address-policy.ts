import ipaddr from "ipaddr.js";

/**
 * Which addresses our own requests may go to.
 *
 * What a client's settings name is asked for by a machine that stands inside: without a check, "tell me at
 * `https://169.254.169.254/`" would reach what no stranger can (ASVS 15.3.2, CWE-918).
 */
export interface AddressPolicy {
  /** Whether an address may be connected to: one of the public internet, or one that the operator allowed. */
  isAllowed(address: string): boolean;
  /** Whether the operator named this host (a name, or an address inside an allowed network). */
  isNamed(hostname: string): boolean;
  /** What is wrong with a URI that we are to call, as far as it shows without asking DNS; `undefined` when nothing is. */
  uriFault(uri: string): string | undefined;
}

type Address = ReturnType<typeof ipaddr.parse>;
type Network = readonly [Address, number];

/** The part of IPv6 that is given out for global use (RFC 4291, section 2.4); what ipaddr.js has no name for is outside. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");

/** @param allowed networks (`10.0.0.0/8`), addresses and host names that are inside and may be called all the same. */
export function createAddressPolicy(allowed: readonly string[]): AddressPolicy {
  const networks = allowed.flatMap(parseNetwork);
  const names = new Set(allowed.map((entry) => entry.toLowerCase()));

  const isInAllowedNetwork = (address: Address): boolean =>
    networks.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));

  function isNamed(hostname: string): boolean {
    const host = bareHost(hostname);
    return names.has(host) || (ipaddr.isValid(host) && isInAllowedNetwork(ipaddr.process(host)));
  }

  function isAllowed(address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    // An IPv4 address inside IPv6 leads where the IPv4 address leads.
    const plain = ipaddr.process(address);
    return isPublic(plain) || isInAllowedNetwork(plain);
  }

  return {
    isAllowed,
    isNamed,
    uriFault(uri) {
      const url = URL.canParse(uri) ? new URL(uri) : undefined;
      if (url === undefined) return "is not an absolute URI";
      if (url.protocol !== "https:" && url.protocol !== "http:") return "is not https";
      if (isNamed(url.hostname)) return undefined;
      if (url.protocol !== "https:") return "is not https (http is for hosts of OUTBOUND_ALLOWED_NETWORKS only)";
      const host = bareHost(url.hostname);
      const isInside = ipaddr.isValid(host) ? !isAllowed(host) : /^(.+\.)?localhost$/.test(host);
      return isInside ? "leads inside, and OUTBOUND_ALLOWED_NETWORKS does not have it" : undefined;
    },
  };
}

function isPublic(address: Address): boolean {
  if (address.range() !== "unicast") return false;
  return address.kind() === "ipv4" || address.match(GLOBAL_IPV6);
}

function parseNetwork(entry: string): readonly Network[] {
  if (ipaddr.isValidCIDR(entry)) return [ipaddr.parseCIDR(entry)];
  if (!ipaddr.isValid(entry)) return [];
  const address = ipaddr.process(entry);
  return [[address, address.kind() === "ipv4" ? 32 : 128]];
}

/** As `URL` gives it, without the brackets of an IPv6 address and the dot of a complete name. */
export function bareHost(hostname: string): string {
  return hostname
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "")
    .toLowerCase();
}
