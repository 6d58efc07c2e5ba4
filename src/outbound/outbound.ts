import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { type AddressPolicy, bareHost } from "./address-policy.ts";
import { createNameResolution, type ResolvedAddress, type ResolveName } from "./name-resolution.ts";

/** What came of a request. Nothing of the answer but its status is read. */
export type OutboundResult =
  | { readonly type: "answered"; readonly status: number }
  /** No connection was made: the URI, or an address that its name stands for, leads where it must not. */
  | { readonly type: "refused"; readonly reason: "uri" | "address" }
  | { readonly type: "failed"; readonly reason: "timeout" | "stopped" | "name" | "connection" };

interface OutboundRequest {
  readonly uri: string;
  /** For everything together: name, connection, TLS, and the head of the answer. */
  readonly timeoutMs: number;
  /** Ends the request early; its result is `failed`, `stopped`. */
  readonly signal?: AbortSignal | undefined;
}

export interface OutboundPost extends OutboundRequest {
  readonly form: Readonly<Record<string, string>>;
}

export interface OutboundJsonPost extends OutboundRequest {
  /** The very text that is sent: it may have been signed. */
  readonly json: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Outbound {
  /** Posts a form. Follows no redirect, keeps no connection, takes nothing from the body. Does not throw. */
  postForm(post: OutboundPost): Promise<OutboundResult>;
  /** Posts JSON, in the same way. */
  postJson(post: OutboundJsonPost): Promise<OutboundResult>;
}

export interface OutboundDeps {
  readonly policy: AddressPolicy;
  /** DNS when absent. */
  readonly resolve?: ResolveName;
  /** Certificates (PEM) to trust instead of the system's own. */
  readonly certificateAuthorities?: readonly string[];
  /** Headers that name the trace that a request is part of. */
  readonly traceHeaders?: (() => Readonly<Record<string, string>>) | undefined;
}

const HEADER_BYTES_MAX = 8 * 1024;

export function createOutbound({
  policy,
  resolve = createNameResolution(),
  certificateAuthorities,
  traceHeaders = () => ({}),
}: OutboundDeps): Outbound {
  /** The addresses of a host, each of them checked: of several, the one that is connected to is not ours to choose. */
  async function findAddresses(
    host: string,
    signal: AbortSignal,
  ): Promise<readonly ResolvedAddress[] | "name" | "address"> {
    const isTrusted = policy.isNamed(host);
    const family = isIP(host);
    if (family === 4 || family === 6) return policy.isAllowed(host) ? [{ address: host, family }] : "address";
    const found = await untilAborted(resolve(host, { isTrusted, signal }), signal).catch(() => []);
    if (found.length === 0) return "name";
    return isTrusted || found.every(({ address }) => policy.isAllowed(address)) ? found : "address";
  }

  async function post(
    { uri, timeoutMs, signal: stop }: OutboundRequest,
    { body, headers }: Pick<Sending, "body" | "headers">,
  ): Promise<OutboundResult> {
    if (policy.uriFault(uri) !== undefined) return { type: "refused", reason: "uri" };
    const url = new URL(uri);
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = stop === undefined ? timeout : AbortSignal.any([timeout, stop]);
    const whyAborted = (): OutboundResult => ({ type: "failed", reason: stop?.aborted ? "stopped" : "timeout" });

    const addresses = await findAddresses(bareHost(url.hostname), signal);
    if (signal.aborted) return whyAborted();
    if (addresses === "address") return { type: "refused", reason: "address" };
    if (addresses === "name") return { type: "failed", reason: "name" };
    try {
      const given = { ...traceHeaders(), ...headers };
      const status = await send(url, { addresses, body, signal, certificateAuthorities, headers: given });
      return { type: "answered", status };
    } catch {
      return signal.aborted ? whyAborted() : { type: "failed", reason: "connection" };
    }
  }

  return {
    postForm(given) {
      const body = new URLSearchParams(given.form).toString();
      return post(given, { body, headers: { "content-type": "application/x-www-form-urlencoded" } });
    },
    postJson(given) {
      return post(given, { body: given.json, headers: { ...given.headers, "content-type": "application/json" } });
    },
  };
}

interface Sending {
  /** Where to connect to, whatever the name stands for by now: a second look-up might find another address. */
  readonly addresses: readonly ResolvedAddress[];
  readonly body: string;
  readonly signal: AbortSignal;
  readonly certificateAuthorities: readonly string[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** The status of the answer. */
function send(url: URL, { addresses, body, signal, certificateAuthorities, headers }: Sending): Promise<number> {
  const options = {
    method: "POST",
    // No agent: no connection is kept that would outlive its check, and no proxy of the environment is asked.
    agent: false,
    lookup: alwaysFind(addresses),
    signal,
    maxHeaderSize: HEADER_BYTES_MAX,
    headers: {
      ...headers,
      "content-length": Buffer.byteLength(body),
      "user-agent": "Latchkey",
    },
    ...(certificateAuthorities === undefined ? {} : { ca: [...certificateAuthorities] }),
  } as const;
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, options, (response) => {
      resolve(response.statusCode ?? 0);
      // What else it would say is not read: a body without an end must cost nothing.
      response.on("error", () => undefined);
      response.destroy();
    });
    request.on("error", reject);
    request.end(body);
  });
}

function alwaysFind(addresses: readonly ResolvedAddress[]): LookupFunction {
  const [first] = addresses;
  return (_hostname, options, found) => {
    if (options.all === true) found(null, [...addresses]);
    else found(null, first?.address ?? "", first?.family);
  };
}

/** The system's look-up cannot be cancelled; we stop waiting for it. */
function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const give = (): void => reject(new Error("the wait was ended"));
    if (signal.aborted) give();
    signal.addEventListener("abort", give, { once: true });
    promise.then(resolve, reject);
  });
}
