/**
 * `@latchkey/verifier/koa`: middleware for Koa 2 and 3.
 *
 *     router.get("/orders", protect(verifier, { scope: "orders:read" }), (ctx) => {
 *       ctx.body = ordersOf(tokenOf(ctx).sub);
 *     });
 */
import type { ResourceMetadata } from "../resource-metadata.ts";
import type { VerifiedToken } from "../verified-token.ts";
import { type NodeRequest, readNodeRequest } from "./api-request.ts";
import { type Answer, asVerifiedToken, authenticate, type Protection, type TokenCheck } from "./authentication.ts";

export type { Protection } from "./authentication.ts";
export { createResourceMetadata, type ResourceDescription, type ResourceMetadata } from "../resource-metadata.ts";

/** The part of Koa's context that is used. */
export interface KoaContext {
  readonly req: NodeRequest;
  readonly method: string;
  /** As the request had it, before anything was mounted. */
  readonly originalUrl: string;
  readonly state: object;
  status: number;
  body: unknown;
  set(headers: Record<string, string>): void;
}

export type KoaMiddleware = (ctx: KoaContext, next: () => Promise<unknown>) => Promise<void>;

/** Lets a request on when its token is valid and has what is asked for; the token is then at `ctx.state.token`. */
export function protect(verifier: TokenCheck, protection: Protection = {}): KoaMiddleware {
  return async (ctx, next) => {
    const outcome = await authenticate(verifier, readNodeRequest(ctx.req, ctx.originalUrl), protection);
    if (outcome.type === "refused") {
      answer(ctx, outcome.refusal);
      return;
    }
    Object.assign(ctx.state, { token: outcome.token });
    await next();
  };
}

/** The token of a request that `protect` let on. @throws TypeError on a route that is not protected. */
export function tokenOf(ctx: { readonly state: object }): VerifiedToken {
  return asVerifiedToken("token" in ctx.state ? ctx.state.token : undefined);
}

/** Answers the service's metadata (RFC 9728) where it belongs, and lets everything else on. */
export function serveResourceMetadata(metadata: ResourceMetadata): KoaMiddleware {
  const body = JSON.stringify(metadata.document);
  return async (ctx, next) => {
    const isRead = ctx.method === "GET" || ctx.method === "HEAD";
    if (!isRead || ctx.originalUrl !== metadata.path) {
      await next();
      return;
    }
    answer(ctx, { status: 200, headers: metadata.headers, body });
  };
}

function answer(ctx: KoaContext, { status, headers, body }: Answer): void {
  ctx.status = status;
  ctx.set({ ...headers });
  ctx.body = body;
}
