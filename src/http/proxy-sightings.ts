import type { IncomingHttpHeaders } from "node:http";

/** After so many requests all counts are halved, so that what was long ago counts little. */
const REQUESTS_MAX = 500;

/** What came by the proxies of late, as shares of all requests. */
export interface ProxyShares {
  /** Forwarded headers from somebody who is not trusted: a proxy that was not named, or an attempt. */
  readonly untrusted: number;
  readonly otherHost: number;
  readonly otherProtocol: number;
}

export interface ProxySightings {
  note(
    headers: IncomingHttpHeaders,
    from: { readonly isTrusted: boolean; readonly protocol: string | undefined },
  ): void;
  /** `undefined` before there was any request. */
  shares(): ProxyShares | undefined;
}

/** Counts what a wrong set-up of proxies looks like from here. No value of a request is kept. */
export function createProxySightings(issuer: string): ProxySightings {
  const { host, protocol: issuerProtocol } = new URL(issuer);
  let [requests, untrusted, otherHost, otherProtocol] = [0, 0, 0, 0];
  return {
    note(headers, { isTrusted, protocol }) {
      if (requests >= REQUESTS_MAX) {
        requests /= 2;
        untrusted /= 2;
        otherHost /= 2;
        otherProtocol /= 2;
      }
      const isForwarded = headers["x-forwarded-for"] !== undefined || headers.forwarded !== undefined;
      requests += 1;
      if (isForwarded && !isTrusted) untrusted += 1;
      if (!isHost(headers.host, host)) otherHost += 1;
      if (protocol !== undefined && `${protocol}:` !== issuerProtocol) otherProtocol += 1;
    },
    shares() {
      if (requests === 0) return undefined;
      const shareOf = (count: number): number => Math.round((count / requests) * 100) / 100;
      return {
        untrusted: shareOf(untrusted),
        otherHost: shareOf(otherHost),
        otherProtocol: shareOf(otherProtocol),
      };
    },
  };
}

function isHost(header: string | undefined, host: string): boolean {
  const given = header?.toLowerCase();
  return given === host || given === `${host}:443` || given === `${host}:80`;
}
