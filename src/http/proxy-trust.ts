import type { IncomingHttpHeaders } from "node:http";
import { isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";
import type { Context, Middleware } from "koa";
import type { ProxySightings } from "./proxy-sightings.ts";

/** Headers that tell of a client and that nothing behind this may read. */
const IGNORED_HEADERS = ["forwarded", "x-forwarded-host", "x-forwarded-port", "x-real-ip"] as const;
const HOPS_MAX = 20;

export interface ProxyTrust {
  /**
   * Replaces the forwarded headers by what a trusted proxy vouches for: one client address and one protocol. From
   * anybody else they are deleted, so that whatever reads them later (Koa, oidc-provider) may believe them.
   */
  readonly middleware: Middleware;
  /** The client's address in its shortest form; IPv4 also where the socket speaks IPv6. Never throws. */
  readonly clientAddress: (ctx: Context) => string;
}

/**
 * @param trustedProxies how many proxies stand in front (0: none), or the networks in CIDR notation that they are in.
 * @param sightings told of each request but probes, which come past the proxies.
 */
export function createProxyTrust(
  trustedProxies: number | readonly string[],
  sightings?: Pick<ProxySightings, "note">,
): ProxyTrust {
  const isTrusted = trustRule(trustedProxies);
  return {
    middleware(ctx, next) {
      const peer = normalizeAddress(ctx.req.socket.remoteAddress ?? "") ?? "unknown";
      const peerIsTrusted = isTrusted(peer, 0);
      const client = peerIsTrusted ? walkBack(peer, ctx.get("x-forwarded-for"), isTrusted) : peer;
      const protocol = peerIsTrusted ? lastProtocol(ctx.get("x-forwarded-proto")) : undefined;
      const { headers } = ctx.req;
      if (!ctx.path.startsWith("/health/")) sightings?.note(headers, { isTrusted: peerIsTrusted, protocol });
      for (const name of IGNORED_HEADERS) replaceHeader(headers, name, undefined);
      replaceHeader(headers, "x-forwarded-for", peerIsTrusted ? client : undefined);
      replaceHeader(headers, "x-forwarded-proto", protocol);
      ctx.state["clientAddress"] = client;
      return next();
    },
    clientAddress(ctx) {
      const address: unknown = ctx.state["clientAddress"];
      return typeof address === "string" ? address : "unknown";
    },
  };
}

/** Deletes only what is there: deleting turns the object into a hash table, which slows every later look into it. */
function replaceHeader(headers: IncomingHttpHeaders, name: string, value: string | undefined): void {
  if (value !== undefined) headers[name] = value;
  else if (headers[name] !== undefined) delete headers[name];
}

/** Whether the machine `hops` steps in front of us, at `address`, is one of our proxies. */
type TrustRule = (address: string, hops: number) => boolean;

function trustRule(trustedProxies: number | readonly string[]): TrustRule {
  if (typeof trustedProxies === "number") return (_, hops) => hops < trustedProxies;
  const networks = trustedProxies.map((network) => ipaddr.parseCIDR(network));
  return (address) => {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.parse(address);
    return networks.some(([network, bits]) => parsed.kind() === network.kind() && parsed.match(network, bits));
  };
}

/**
 * From the peer back along `X-Forwarded-For` until somebody is not ours: the client. Each proxy vouches only for the
 * entry that it added, the last ones; what stands before is whatever the client wrote. Garbage ends the walk at the
 * proxy that passed it on.
 */
function walkBack(peer: string, forwardedFor: string, isTrusted: TrustRule): string {
  if (forwardedFor === "") return peer;
  const entries = forwardedFor.split(",").slice(-HOPS_MAX).toReversed();
  let client = peer;
  for (const [hops, entry] of entries.entries()) {
    if (!isTrusted(client, hops)) break;
    const previous = normalizeAddress(entry.trim());
    if (previous === undefined) break;
    client = previous;
  }
  return client;
}

const MAPPED_IPV4 = "::ffff:";

/** `undefined` when it is no address. Accepts the port that some proxies add. */
function normalizeAddress(text: string): string | undefined {
  // Most are, and this check is strict: dotted, decimal, without leading zeros.
  const plain = text.startsWith(MAPPED_IPV4) ? text.slice(MAPPED_IPV4.length) : text;
  if (isIPv4(plain)) return plain;
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  const withoutZone = bare.split("%", 1)[0] ?? "";
  // The library also reads "1" and "0x7f.1", as C does; an address in a header is written out.
  const isWrittenOut = ipaddr.IPv4.isValidFourPartDecimal(withoutZone) || ipaddr.IPv6.isValid(withoutZone);
  return isWrittenOut ? ipaddr.process(withoutZone).toString() : undefined;
}

function lastProtocol(header: string): "http" | "https" | undefined {
  const protocol = header.split(",").at(-1)?.trim().toLowerCase();
  return protocol === "http" || protocol === "https" ? protocol : undefined;
}
