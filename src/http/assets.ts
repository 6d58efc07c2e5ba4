import { readFileSync } from "node:fs";
import type { Context, Middleware } from "koa";
import { sha256 } from "../core/index.ts";
import { noteFacts } from "../observability/index.ts";
import { brandIcon, brandStyles } from "./brand-styles.ts";

const ONE_YEAR_SECONDS = 365 * 24 * 60 * 60;
const ONE_HOUR_SECONDS = 60 * 60;
const SCRIPT = "text/javascript; charset=utf-8";
const LOGO_BYTES_MAX = 512 * 1024;

export interface Brand {
  readonly name: string;
  /** `#` and six hexadecimal digits. */
  readonly color: string;
  /** An SVG or PNG file, read once. */
  readonly logoFile: string | undefined;
}

/** What passkeys need to run; see `views/assets/passkey.js`. */
export const PASSKEY_SCRIPTS = ["simplewebauthn.js", "passkey.js"] as const;

/** The few files that the pages need, held in memory. */
export interface Assets {
  /** Serves `/assets/…`; everything else goes on. */
  readonly middleware: Middleware;
  /** Path with the hash of the content, so that a browser may keep it for good. `undefined` when there is none. */
  urlOf(name: string): string | undefined;
  /** Path of the operator's logo; `undefined` where our own mark is shown. */
  readonly logoUrl: string | undefined;
}

interface Asset {
  readonly type: string;
  readonly body: Buffer;
  readonly version: string;
}

/** @throws Error when the logo cannot be read or is larger than 512 KiB: better at the start than on every page. */
export function createAssets(brand: Brand): Assets {
  const assets = new Map<string, Asset>([
    ["latchkey.css", asset("text/css; charset=utf-8", ours("latchkey.css"))],
    ["brand.css", asset("text/css; charset=utf-8", brandStyles(brand.color))],
    ["favicon.svg", asset("image/svg+xml", brandIcon(ours("favicon.svg"), brand.color))],
    ["glyph.svg", asset("image/svg+xml", ours("glyph.svg"))],
    ["passkey.js", asset(SCRIPT, ours("passkey.js"))],
    ["simplewebauthn.js", asset(SCRIPT, readFileSync(webAuthnBundle()))],
  ]);
  const logoName = brand.logoFile === undefined ? undefined : addLogo(assets, brand.logoFile);
  const urlOf = (name: string): string | undefined => {
    const found = assets.get(name);
    return found === undefined ? undefined : `/assets/${name}?v=${found.version}`;
  };
  return {
    urlOf,
    logoUrl: logoName === undefined ? undefined : urlOf(logoName),
    middleware(ctx, next) {
      const isRead = ctx.method === "GET" || ctx.method === "HEAD";
      const found = ctx.path.startsWith("/assets/") ? assets.get(ctx.path.slice("/assets/".length)) : undefined;
      if (!isRead || found === undefined) return next();
      return serve(ctx, found);
    },
  };
}

function serve(ctx: Context, { type, body, version }: Asset): void {
  noteFacts(ctx, { route: "/assets/:file" });
  const isPinned = ctx.query["v"] === version;
  ctx.status = 200;
  ctx.set("Cache-Control", isPinned ? `public, max-age=${ONE_YEAR_SECONDS}, immutable` : `max-age=${ONE_HOUR_SECONDS}`);
  ctx.etag = version;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  ctx.set("Content-Type", type);
  ctx.body = body;
}

function ours(name: string): string {
  return readFileSync(new URL(`../../views/assets/${name}`, import.meta.url), "utf8");
}

/** The package names no entry for its bundle, which lies beside the one that it names. */
function webAuthnBundle(): URL {
  return new URL("../dist/bundle/index.umd.min.js", import.meta.resolve("@simplewebauthn/browser"));
}

function asset(type: string, content: string | Buffer): Asset {
  return { type, body: Buffer.from(content), version: sha256(content).toString("base64url").slice(0, 16) };
}

function addLogo(assets: Map<string, Asset>, file: string): string {
  const content = readFileSync(file);
  if (content.length > LOGO_BYTES_MAX) throw new Error(`BRAND_LOGO is larger than ${LOGO_BYTES_MAX / 1024} KiB`);
  const isSvg = /\.svg$/i.test(file);
  const name = isSvg ? "logo.svg" : "logo.png";
  assets.set(name, asset(isSvg ? "image/svg+xml" : "image/png", content));
  return name;
}
