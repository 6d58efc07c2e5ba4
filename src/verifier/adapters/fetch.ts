/**
 * `@latchkey/verifier/fetch`: for whatever answers a `Request` with a `Response`: Hono, Deno, Bun, Workers, Next.js.
 *
 *     const token = await authenticate(verifier, request, { scope: "orders:read" });
 *     if (token instanceof Response) return token;
 *     return Response.json(ordersOf(token.sub));
 *
 * Hono: `app.get("/orders", protect(verifier, { scope: "orders:read" }), (c) => c.json(ordersOf(tokenOf(c).sub)))`.
 */
import type { ResourceMetadata } from "../resource-metadata.ts";
import type { VerifiedToken } from "../verified-token.ts";
import type { ApiRequest } from "./api-request.ts";
import {
  asVerifiedToken,
  authenticate as authenticateRequest,
  type Protection,
  type TokenCheck,
} from "./authentication.ts";

export type { Protection } from "./authentication.ts";
export { createResourceMetadata, type ResourceDescription, type ResourceMetadata } from "../resource-metadata.ts";

/** The token of a request, or the answer to send instead. */
export async function authenticate(
  verifier: TokenCheck,
  request: Request,
  protection: Protection = {},
): Promise<VerifiedToken | Response> {
  const outcome = await authenticateRequest(verifier, readRequest(request), protection);
  if (outcome.type === "accepted") return outcome.token;
  const { status, headers, body } = outcome.refusal;
  return new Response(body, { status, headers });
}

/** `Headers` joins a header that was sent twice by a comma, which no credential contains. */
function readRequest(request: Request): ApiRequest {
  const { origin, pathname, search } = new URL(request.url);
  return {
    method: request.method,
    origin,
    target: pathname + search,
    headers(name) {
      const value = request.headers.get(name);
      return value === null ? [] : [value];
    },
  };
}

/** The part of Hono's context that is used. */
export interface HonoContext {
  readonly req: { readonly raw: Request };
  set(name: string, value: unknown): void;
}

export type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<Response | void>;

/** Middleware for Hono: lets a request on when its token is valid and has what is asked for. */
export function protect(verifier: TokenCheck, protection: Protection = {}): HonoMiddleware {
  return async (context, next) => {
    const token = await authenticate(verifier, context.req.raw, protection);
    if (token instanceof Response) return token;
    context.set("token", token);
    await next();
    return undefined;
  };
}

/** The token of a request that `protect` let on, `c.get("token")`. @throws TypeError on a route that is not protected. */
export function tokenOf(context: { get(name: string): unknown }): VerifiedToken {
  return asVerifiedToken(context.get("token"));
}

/** The service's metadata (RFC 9728) if that is what the request is for. */
export function serveResourceMetadata(metadata: ResourceMetadata, request: Request): Response | undefined {
  const { pathname, search } = new URL(request.url);
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (!isRead || pathname + search !== metadata.path) return undefined;
  return new Response(JSON.stringify(metadata.document), { headers: metadata.headers });
}
