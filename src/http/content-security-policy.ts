import type { Context } from "koa";

const HEADER = "Content-Security-Policy";

/**
 * No script, no inline code, no framing. `script-src` is there with an empty list, which allows nothing (CSP 3,
 * section 6.7.2.2): oidc-provider adds the hash of its auto-submitting form pages to it, and only if it exists.
 */
export const BASE_POLICY = serialize(
  new Map([
    ["default-src", ["'none'"]],
    ["script-src", []],
    ["style-src", ["'self'"]],
    ["img-src", ["'self'", "data:"]],
    ["form-action", ["'self'"]],
    ["base-uri", ["'none'"]],
    ["frame-ancestors", ["'none'"]],
  ]),
);

/**
 * Lets the answer to a form of this page redirect to these places.
 *
 * Chrome applies `form-action` to every hop of the redirects after a POST, so that a page that leads back to an app
 * must name the app's origin. Takes origins or whole redirect URIs; `http` and `https` give an origin, a custom scheme
 * of a native app gives `scheme:`. What could run code or is no URL is left out.
 */
export function allowFormAction(ctx: Context, targets: readonly string[]): void {
  extendPolicy(ctx, "form-action", targets.map(formActionSource));
}

/** Lets this page show an image from the https origin of `url`, such as a client's logo. */
export function allowImageFrom(ctx: Context, url: string): void {
  if (!URL.canParse(url)) return;
  const { protocol, origin, hostname } = new URL(url);
  if (protocol === "https:" && !hostname.startsWith("[")) extendPolicy(ctx, "img-src", [origin]);
}

/** Lets this page run scripts of ours, by their addresses and no others. */
export function allowScripts(ctx: Context, urls: readonly string[]): void {
  if (urls.length > 0) extendPolicy(ctx, "script-src", urls);
}

/** Lets this page show another page of ours in a frame. That one has to say that it may be. */
export function allowFrameOfOurs(ctx: Context): void {
  const policy = parse(ctx.response.get(HEADER));
  ctx.set(HEADER, serialize(policy.set("frame-src", ["'self'"])));
}

/**
 * For HTML that is none of our pages, such as a mail: it has styles of its own, runs nothing, sends nothing, and belongs to
 * no origin. A page of ours may show it in a frame.
 */
export function isolateDocument(ctx: Context): void {
  const policy = new Map<string, readonly string[]>([
    ["default-src", ["'none'"]],
    ["style-src", ["'unsafe-inline'"]],
    ["form-action", ["'none'"]],
    ["frame-ancestors", ["'self'"]],
    ["sandbox", ["allow-top-navigation-by-user-activation"]],
  ]);
  ctx.set(HEADER, serialize(policy));
  ctx.set("X-Frame-Options", "SAMEORIGIN");
}

const SCHEMES_THAT_RUN_OR_READ = new Set(["javascript:", "data:", "blob:", "vbscript:", "file:", "filesystem:"]);

function formActionSource(target: string): string | undefined {
  if (!URL.canParse(target)) return undefined;
  const { protocol, origin, hostname } = new URL(target);
  if (SCHEMES_THAT_RUN_OR_READ.has(protocol)) return undefined;
  // CSP has no way to write an IPv6 address, which only a native app's loopback redirect uses (RFC 8252, section 7.3).
  const isPlainOrigin = (protocol === "https:" || protocol === "http:") && !hostname.startsWith("[");
  return isPlainOrigin ? origin : protocol;
}

function extendPolicy(ctx: Context, directive: string, sources: readonly (string | undefined)[]): void {
  const policy = parse(ctx.response.get(HEADER));
  const known = policy.get(directive);
  if (known === undefined) return;
  policy.set(directive, [...new Set([...known, ...sources.filter((source) => source !== undefined)])]);
  ctx.set(HEADER, serialize(policy));
}

function parse(header: string): Map<string, readonly string[]> {
  const directives = header.split(";").map((directive) => directive.trim().split(/\s+/));
  return new Map(directives.map(([name = "", ...sources]) => [name, sources]));
}

function serialize(policy: ReadonlyMap<string, readonly string[]>): string {
  return [...policy].map(([name, sources]) => [name, ...sources].join(" ")).join("; ");
}
