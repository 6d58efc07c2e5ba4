import { lookup, Resolver } from "node:dns/promises";

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** All addresses of a host name. @throws when there are none, or the signal ends the wait. */
export type ResolveName = (
  hostname: string,
  options: { readonly isTrusted: boolean; readonly signal: AbortSignal },
) => Promise<readonly ResolvedAddress[]>;

export interface NameResolutionOptions {
  /** DNS servers, such as `127.0.0.1:5353`; those of the system when absent. */
  readonly servers?: readonly string[];
}

const TRY_MS = 2_000;
const TRIES = 2;

/**
 * Names that the operator named are looked up as the system does it, `/etc/hosts` included. All others only in DNS and
 * without Node's thread pool: a name whose servers never answer would hold threads that hash passwords and sign tokens.
 */
export function createNameResolution(options: NameResolutionOptions = {}): ResolveName {
  return async (hostname, { isTrusted, signal }) => {
    if (!isTrusted) return askDns(hostname, { signal, servers: options.servers });
    const found = await lookup(hostname, { all: true });
    return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
  };
}

interface DnsQuestion {
  readonly signal: AbortSignal;
  readonly servers: readonly string[] | undefined;
}

async function askDns(hostname: string, { signal, servers }: DnsQuestion): Promise<readonly ResolvedAddress[]> {
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    if (four.status === "rejected" && six.status === "rejected") throw four.reason;
    return [...toAddresses(four, 4), ...toAddresses(six, 6)];
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

function toAddresses(result: PromiseSettledResult<readonly string[]>, family: 4 | 6): readonly ResolvedAddress[] {
  return result.status === "fulfilled" ? result.value.map((address) => ({ address, family })) : [];
}
