/**
 * `@latchkey/verifier/express`: middleware for Express 4 and 5, for Connect, and for Node's `http` without a framework.
 *
 *     app.get("/orders", protect(verifier, { scope: "orders:read" }), (req, res) => {
 *       res.json(ordersOf(tokenOf(req).sub));
 *     });
 */
import type { ResourceMetadata } from "../resource-metadata.ts";
import type { VerifiedToken } from "../verified-token.ts";
import { type NodeRequest, readNodeRequest } from "./api-request.ts";
import {
  type Answer,
  asVerifiedToken,
  authenticate,
  type Authentication,
  type Protection,
  type TokenCheck,
} from "./authentication.ts";

export type { Protection } from "./authentication.ts";
export { createResourceMetadata, type ResourceDescription, type ResourceMetadata } from "../resource-metadata.ts";

/** The part of the request that is used: Node's, and what Express remembers of the address. */
export interface ExpressRequest extends NodeRequest {
  readonly originalUrl?: string;
}

/** The part of the response that is used, all of it Node's. */
export interface ExpressResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

export type ExpressMiddleware = (
  request: ExpressRequest,
  response: ExpressResponse,
  next: (error?: unknown) => void,
) => Promise<void>;

/** Lets a request on when its token is valid and has what is asked for; the token is then at `req.auth`. */
export function protect(verifier: TokenCheck, protection: Protection = {}): ExpressMiddleware {
  return async (request, response, next) => {
    let outcome: Authentication;
    try {
      outcome = await authenticate(verifier, readNodeRequest(request, request.originalUrl), protection);
    } catch (error) {
      // Express 4 does not look at what a middleware returns, so that a failure has to be handed over.
      next(error);
      return;
    }
    if (outcome.type === "refused") {
      send(response, outcome.refusal);
      return;
    }
    Object.assign(request, { auth: outcome.token });
    next();
  };
}

/** The token of a request that `protect` let on. @throws TypeError on a route that is not protected. */
export function tokenOf(request: object): VerifiedToken {
  return asVerifiedToken("auth" in request ? request.auth : undefined);
}

/** Answers the service's metadata (RFC 9728) where it belongs, and lets everything else on. */
export function serveResourceMetadata(metadata: ResourceMetadata): ExpressMiddleware {
  const body = JSON.stringify(metadata.document);
  return async (request, response, next) => {
    const isRead = request.method === "GET" || request.method === "HEAD";
    const target = request.originalUrl ?? request.url;
    if (isRead && target === metadata.path) send(response, { status: 200, headers: metadata.headers, body });
    else next();
  };
}

function send(response: ExpressResponse, { status, headers, body }: Answer): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(body);
}
