const URI_CHARACTERS_MAX = 2_000;

// Checked on the text itself: the URL parser drops tabs and line breaks and turns backslashes around, so that what it
// understands is not what a browser or a string comparison would see.
const UNSAFE_CHARACTERS = /[^!-~]|[\\<>"`{}|^]/;

/**
 * What is wrong with a redirect URI, in words after its key; `undefined` when nothing is.
 *
 * A redirect URI is where authorization codes are sent, so that only three kinds pass: https; http on this machine; and
 * a private-use scheme with a dot for native apps (RFC 8252, section 7.1), which leaves out `javascript:` and `data:`.
 */
export function redirectUriFault(value: string): string | undefined {
  const fault = commonFault(value);
  if (fault !== undefined) return fault;
  if (value.includes("#")) return "has a fragment (RFC 6749, section 3.1.2)";
  if (value.includes("*")) return "has a wildcard; list every address in full";
  const url = new URL(value);
  if (isWeb(url)) return webFault(url) ?? spellingFault(value, url);
  return isPrivateUse(url)
    ? undefined
    : "is neither https nor a private-use scheme with a dot, such as com.example.app:/";
}

/** What is wrong with the address of a web page or document; `undefined` when nothing is. */
export function webUriFault(value: string): string | undefined {
  const fault = commonFault(value);
  if (fault !== undefined) return fault;
  const url = new URL(value);
  return isWeb(url) ? webFault(url) : "is not an https address";
}

/**
 * What is wrong with an address that we call to tell of a sign-out; `undefined` when nothing is. Whether we may go there
 * at all is up to the operator's networks: see `Clients`.
 */
export function logoutUriFault(value: string): string | undefined {
  const fault = commonFault(value);
  if (fault !== undefined) return fault;
  if (value.includes("#")) return "has a fragment (OpenID Connect Back-Channel Logout 1.0, section 2.2)";
  return isWeb(new URL(value)) ? undefined : "is not an https address";
}

/** What is wrong with an origin such as `https://shop.example.com`; `undefined` when nothing is. */
export function originFault(value: string): string | undefined {
  const fault = webUriFault(value);
  if (fault !== undefined) return fault;
  const { origin } = new URL(value);
  return origin === value ? undefined : `is not an origin; write ${origin}`;
}

/** What is wrong with a resource server's identifier (RFC 8707, section 2); `undefined` when nothing is. */
export function resourceIdentifierFault(value: string): string | undefined {
  const fault = commonFault(value);
  if (fault !== undefined) return fault;
  if (value.includes("#")) return "has a fragment (RFC 8707, section 2)";
  const url = new URL(value);
  if (isWeb(url)) return undefined;
  return url.protocol === "urn:" ? undefined : "is neither an http(s) address nor a urn:";
}

/** The origins of the web addresses among `uris`, each once. */
export function webOriginsOf(uris: readonly string[]): readonly string[] {
  const urls = uris.filter((uri) => URL.canParse(uri)).map((uri) => new URL(uri));
  return [...new Set(urls.filter(isWeb).map(({ origin }) => origin))];
}

function commonFault(value: string): string | undefined {
  if (value.length > URI_CHARACTERS_MAX) return `is longer than ${URI_CHARACTERS_MAX} characters`;
  if (UNSAFE_CHARACTERS.test(value)) return "has spaces, control characters or others that a URI must encode";
  if (!URL.canParse(value)) return "is not an absolute URI";
  const { username, password } = new URL(value);
  return username !== "" || password !== "" || /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i.test(value)
    ? "has a user name or a password in it"
    : undefined;
}

function webFault(url: URL): string | undefined {
  return url.protocol === "https:" || isLoopback(url.hostname) ? undefined : "is not https (http is for loopback only)";
}

/** One spelling per address: a variant would be registered, and then never match what the client sends. */
function spellingFault(value: string, url: URL): string | undefined {
  const isUsual = url.href === value || url.href === `${value}/`;
  return isUsual ? undefined : `is not in its normal form; write ${url.href}`;
}

function isWeb(url: URL): boolean {
  return url.protocol === "https:" || url.protocol === "http:";
}

function isPrivateUse(url: URL): boolean {
  return /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+:$/.test(url.protocol);
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|(.+\.)?localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}
