import type { Context } from "koa";
import type { KoaContextWithOIDC, Provider } from "oidc-provider";

/**
 * Ends a pushed authorization request (RFC 9126) that has been answered. The library does so after a code only, which
 * would let a `request_uri` be used again after an error (section 7.3). While the person is at one of our pages the
 * request waits, so that reloading the first of them works.
 */
export async function endAnsweredPushedRequest(provider: Provider, ctx: Context): Promise<void> {
  const { route, entities } = (ctx as Partial<KoaContextWithOIDC>).oidc ?? {};
  if (route !== "authorization" && route !== "resume") return;
  const id = entities?.PushedAuthorizationRequest?.jti ?? originOf(entities?.Interaction);
  const { location } = ctx.response.headers;
  const isWaiting = typeof location === "string" && location.startsWith("/interaction/");
  if (id !== undefined && !isWaiting) await provider.PushedAuthorizationRequest.adapter.destroy(id);
}

/** The pushed request that an interaction came from, which the library's types leave out. */
function originOf(interaction: object | undefined): string | undefined {
  const id: unknown = interaction && Reflect.get(interaction, "parJti");
  return typeof id === "string" ? id : undefined;
}
