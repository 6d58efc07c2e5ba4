/** What a browser makes of a `Set-Cookie` header (RFC 6265bis, section 5.7). */
export interface JudgedCookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly isSecure: boolean;
  readonly isHttpOnly: boolean;
  readonly sameSite: string | undefined;
  /** Why browsers throw it away; absent when they keep it. */
  readonly refusal: string | undefined;
}

/** Name and value together; browsers ignore what is longer. */
const COOKIE_BYTES_MAX = 4_096;

export function judgeCookie(header: string, url: string): JudgedCookie {
  const [pair = "", ...rest] = header.split(";").map((part) => part.trim());
  const [name, value = ""] = splitOnce(pair);
  const attributes = new Map(rest.map((part) => splitOnce(part)).map(([key, text]) => [key.toLowerCase(), text]));
  const path = attributes.get("path") ?? "";
  const cookie = {
    name,
    value,
    path: path.startsWith("/") ? path : defaultPath(url),
    isSecure: attributes.has("secure"),
    isHttpOnly: attributes.has("httponly"),
    sameSite: attributes.get("samesite")?.toLowerCase(),
  };
  const domain = attributes.get("domain");
  return { ...cookie, refusal: findRefusal(cookie, { url, domain, isPathGiven: path !== "" }) };
}

/** A loopback address is as good as https to browsers (Secure Contexts, section 3.1). */
export function isTrustworthy(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || /^(.+\.)?localhost$|^127\.|^\[::1\]$/.test(hostname);
}

/** The cookies that a browser sends to an address, as a header. */
export function cookieHeader(cookies: Iterable<JudgedCookie>, url: string): string {
  const { pathname } = new URL(url);
  return [...cookies]
    .filter(({ refusal, path, value }) => refusal === undefined && value !== "" && isWithin(pathname, path))
    .map(({ name, value }) => `${name}=${value}`)
    .join("; ");
}

type Given = { readonly url: string; readonly domain: string | undefined; readonly isPathGiven: boolean };

function findRefusal(cookie: Omit<JudgedCookie, "refusal">, { url, domain, isPathGiven }: Given): string | undefined {
  const { hostname } = new URL(url);
  const { name, path, isSecure, sameSite } = cookie;
  if (Buffer.byteLength(name + cookie.value) > COOKIE_BYTES_MAX) return "it is longer than 4096 bytes";
  if (domain !== undefined && domain !== "" && !isDomainOf(hostname, domain)) return "its Domain is another one";
  if (isSecure && !isTrustworthy(url)) return "it is Secure, and the page is not https";
  if (sameSite === "none" && !isSecure) return "it is SameSite=None without Secure";
  if (/^__(secure|host)-/i.test(name) && !isSecure) return "its name demands Secure";
  if (!/^__host-/i.test(name)) return undefined;
  if (domain !== undefined) return "its name forbids a Domain";
  return isPathGiven && path === "/" ? undefined : "its name demands Path=/";
}

function isDomainOf(hostname: string, domain: string): boolean {
  const bare = domain.toLowerCase().replace(/^\./, "");
  return hostname === bare || hostname.endsWith(`.${bare}`);
}

function isWithin(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
}

function defaultPath(url: string): string {
  const { pathname } = new URL(url);
  return pathname.slice(0, Math.max(1, pathname.lastIndexOf("/")));
}

function splitOnce(text: string): readonly [string, string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
