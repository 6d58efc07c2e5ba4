/** What every adapter reads from its framework's request. */
export interface ApiRequest {
  readonly method: string;
  /** Scheme, host and port that the request came to, as far as this process can tell. */
  readonly origin: string;
  /** Path and query as the client sent them, before any mounting or rewriting. */
  readonly target: string;
  /** The values of a header, one for each time that it was sent. */
  headers(name: "authorization" | "dpop"): readonly string[];
}

/** The part of Node's request that is read: of HTTP/1.1, of HTTP/2, and of those that frameworks make for tests. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Names and values in turn, nothing merged and nothing dropped. */
  readonly rawHeaders: readonly string[];
  readonly socket: object;
}

/**
 * Reads Node's request.
 *
 * `headers` of Node keeps the first of two `Authorization` headers and drops the other. What is in front of us may have
 * looked at the other one, so that both have to be seen (and are then refused).
 *
 * @param originalTarget what the framework remembers of `url` from before it was rewritten; `url` when absent
 */
export function readNodeRequest(request: NodeRequest, originalTarget?: string): ApiRequest {
  const headers = (name: string): readonly string[] => valuesOf(request.rawHeaders, name);
  const isEncrypted = "encrypted" in request.socket && request.socket.encrypted === true;
  // Host as it arrived here. Forwarded headers are anybody's to send: behind a proxy, the option `origin` is the answer.
  const [host = "localhost"] = [...headers("host"), ...headers(":authority")];
  return {
    method: request.method ?? "GET",
    origin: `${isEncrypted ? "https" : "http"}://${host}`,
    target: originalTarget ?? request.url ?? "/",
    headers,
  };
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}
