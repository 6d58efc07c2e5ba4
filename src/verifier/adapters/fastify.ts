/**
 * `@latchkey/verifier/fastify`: a hook and a plugin for Fastify 5.
 *
 *     await app.register(authentication);
 *     app.get("/orders", { onRequest: protect(verifier, { scope: "orders:read" }) }, (request) =>
 *       ordersOf(tokenOf(request).sub));
 */
import type { ResourceMetadata } from "../resource-metadata.ts";
import type { VerifiedToken } from "../verified-token.ts";
import { type NodeRequest, readNodeRequest } from "./api-request.ts";
import { type Answer, asVerifiedToken, authenticate, type Protection, type TokenCheck } from "./authentication.ts";

export type { Protection } from "./authentication.ts";
export { createResourceMetadata, type ResourceDescription, type ResourceMetadata } from "../resource-metadata.ts";

/** The part of Fastify's request that is used. */
export interface FastifyRequest {
  readonly raw: NodeRequest;
  readonly originalUrl: string;
}

/** The part of Fastify's reply that is used. */
export interface FastifyReply {
  code(status: number): unknown;
  headers(headers: Record<string, string>): unknown;
  send(body: string): unknown;
}

/** The part of a Fastify instance that the plugin uses. */
export interface FastifyInstance {
  hasRequestDecorator(name: string): boolean;
  decorateRequest(name: string, value: null): unknown;
  get(path: string, handler: (request: unknown, reply: FastifyReply) => Promise<unknown>): unknown;
}

export type FastifyHook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/**
 * A hook, for `onRequest` or `preHandler`, that lets a request on when its token is valid and has what is asked for; the
 * token is then at `request.auth`.
 */
export function protect(verifier: TokenCheck, protection: Protection = {}): FastifyHook {
  return async (request, reply) => {
    const outcome = await authenticate(verifier, readNodeRequest(request.raw, request.originalUrl), protection);
    if (outcome.type === "accepted") {
      Object.assign(request, { auth: outcome.token });
      return undefined;
    }
    return answer(reply, outcome.refusal);
  };
}

/** The token of a request that `protect` let on. @throws TypeError on a route that is not protected. */
export function tokenOf(request: object): VerifiedToken {
  return asVerifiedToken("auth" in request ? request.auth : undefined);
}

export interface AuthenticationOptions {
  /** Served where it belongs (RFC 9728); left out, nothing is. */
  readonly resourceMetadata?: ResourceMetadata;
}

/**
 * A plugin that declares `request.auth`, so that all requests are of one shape, and serves the service's metadata. It
 * applies to the whole instance that it is registered in, like a plugin made with `fastify-plugin`.
 */
export async function authentication(app: FastifyInstance, options: AuthenticationOptions): Promise<void> {
  if (!app.hasRequestDecorator("auth")) app.decorateRequest("auth", null);
  const { resourceMetadata } = options;
  if (resourceMetadata === undefined) return;
  const { pathname } = new URL(resourceMetadata.url);
  const body = JSON.stringify(resourceMetadata.document);
  app.get(pathname, async (_request, reply) => answer(reply, { status: 200, headers: resourceMetadata.headers, body }));
}

Object.assign(authentication, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "@latchkey/verifier",
});

function answer(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  reply.code(status);
  reply.headers({ ...headers });
  reply.send(body);
  // Fastify takes the reply itself as "it is answered".
  return reply;
}
