import type { Context } from "koa";
import type { KoaContextWithOIDC } from "oidc-provider";
import type { ProtocolPages } from "./interactions-port.ts";

/**
 * Whether the answer is the library's page that posts itself to the client (OAuth 2.0 Form Post Response Mode). It is
 * the only page with script, whose hash the library adds to our policy.
 */
export function isFormPost(ctx: Context): boolean {
  return /script-src[^;]*'sha256-/.test(ctx.response.get("Content-Security-Policy"));
}

/** Lets that page reach the client, which our policy forbids to every form. */
export function allowFormPost(ctx: Context, pages: Pick<ProtocolPages, "allowFormTo">): void {
  const redirectUri = (ctx as Partial<KoaContextWithOIDC>).oidc?.params?.["redirect_uri"];
  if (typeof redirectUri === "string" && isFormPost(ctx)) pages.allowFormTo(ctx, redirectUri);
}
