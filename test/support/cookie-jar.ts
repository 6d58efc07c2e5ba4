interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  readonly path: string;
  readonly isSecure: boolean;
  readonly isHttpOnly: boolean;
  readonly sameSite: string | undefined;
  readonly expiresAtMs: number;
}

/** The cookies of one browser, kept and sent by the rules of RFC 6265: host, path, Secure, expiry. */
export class CookieJar {
  readonly #cookies = new Map<string, Cookie>();
  readonly #nowMs: () => number;

  /** @param nowMs the browser's own clock, which decides what has expired. */
  constructor(nowMs: () => number = () => Date.now()) {
    this.#nowMs = nowMs;
  }

  keep(url: URL, headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const cookie = this.#parse(url, line);
      const key = `${cookie.host};${cookie.path};${cookie.name}`;
      if (cookie.expiresAtMs <= this.#nowMs()) this.#cookies.delete(key);
      else this.#cookies.set(key, cookie);
    }
  }

  /** The `Cookie` header for a request to `url`; empty when there is nothing to send. */
  headerFor(url: URL): string {
    return this.list()
      .filter((cookie) => cookie.host === url.hostname && pathMatches(url.pathname, cookie.path))
      .filter((cookie) => !cookie.isSecure || url.protocol === "https:" || url.hostname === "localhost")
      .toSorted((left, right) => right.path.length - left.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  }

  list(): readonly Cookie[] {
    return [...this.#cookies.values()].filter(({ expiresAtMs }) => expiresAtMs > this.#nowMs());
  }

  clear(): void {
    this.#cookies.clear();
  }

  /** A second browser with the same cookies: a stolen jar, or a request that was on its way before a sign-out. */
  copy(): CookieJar {
    const jar = new CookieJar(this.#nowMs);
    for (const [key, cookie] of this.#cookies) jar.#cookies.set(key, cookie);
    return jar;
  }

  #parse(url: URL, line: string): Cookie {
    const [pair = "", ...attributeParts] = line.split(";").map((part) => part.trim());
    const attributes = new Map(attributeParts.map(splitOnce).map(([name, value]) => [name.toLowerCase(), value]));
    const [name, value] = splitOnce(pair);
    const path = attributes.get("path");
    return {
      name,
      value,
      host: attributes.get("domain")?.replace(/^\./, "") ?? url.hostname,
      path: path?.startsWith("/") ? path : defaultPath(url.pathname),
      isSecure: attributes.has("secure"),
      isHttpOnly: attributes.has("httponly"),
      sameSite: attributes.get("samesite")?.toLowerCase(),
      expiresAtMs: this.#expiry(attributes),
    };
  }

  #expiry(attributes: ReadonlyMap<string, string>): number {
    const [maxAge, expires] = [attributes.get("max-age"), attributes.get("expires")];
    if (maxAge !== undefined) return this.#nowMs() + Number(maxAge) * 1000;
    return expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires);
  }
}

function splitOnce(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return at === -1 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
}

/** RFC 6265, section 5.1.4. */
function defaultPath(pathname: string): string {
  const end = pathname.lastIndexOf("/");
  return end <= 0 ? "/" : pathname.slice(0, end);
}

function pathMatches(pathname: string, cookiePath: string): boolean {
  if (pathname === cookiePath) return true;
  return pathname.startsWith(cookiePath.endsWith("/") ? cookiePath : `${cookiePath}/`);
}
