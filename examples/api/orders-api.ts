/**
 * A service that accepts Latchkey's access tokens: the orders of a small shop, on Koa. Express, Fastify, Hono and plain
 * Node differ in the import and in how a route is written.
 *
 * The verifier checks each token here, without asking anybody, and refuses it within milliseconds of the moment that
 * access was ended: it keeps the few revocations that matter in memory, and Latchkey pushes new ones to it. For that the
 * service is a client of Latchkey, with a secret.
 */
import { createServer, type Server } from "node:http";
import { Router } from "@koa/router";
import Koa, { type Middleware } from "koa";
// In a service of yours: "@latchkey/verifier/koa" and "@latchkey/verifier". Here they are the sources, not yet built.
import { createResourceMetadata, protect, serveResourceMetadata, tokenOf } from "../../src/verifier/adapters/koa.ts";
import { createVerifier } from "../../src/verifier/index.ts";
import { createOrders } from "./orders.ts";
import { createStatusPage } from "./status-page.ts";

export interface OrdersApiOptions {
  /** Latchkey's origin, exactly as its discovery document has it. */
  readonly issuer: string;
  /** This API's identifier, as it was registered with `latchkey resource add`: the `aud` of its tokens. */
  readonly audience: string;
  /** This API as a client: one whose `introspects` names the audience. */
  readonly client: { readonly id: string; readonly secret: string };
  /** The web app that may call it from a browser. */
  readonly appOrigin: string;
}

/**
 * Where money goes out, a password that somebody else may know is not enough, and neither is a sign-in from this morning.
 * The classes are compared as they are: name each that will do, here a second factor and a passkey.
 */
const SURE_WHO_IT_IS = { acr: ["urn:latchkey:acr:mfa", "phr"], maxAgeSeconds: 600 } as const;

/** The server has to be told to listen; when it is closed it stops following revocations. */
export function createOrdersApi({ issuer, audience, client, appOrigin }: OrdersApiOptions): Server {
  const metadata = createResourceMetadata({
    resource: audience,
    authorizationServers: [issuer],
    scopes: ["orders:read", "orders:write"],
    name: "Orders",
  });
  const verifier = createVerifier({
    issuer,
    audience,
    client,
    revocations: "feed",
    // While Latchkey cannot be heard: ask it about each token, and refuse what it cannot be asked about.
    onStale: "introspect",
    resourceMetadataUrl: metadata.url,
  });
  const orders = createOrders();
  const page = createStatusPage(verifier);

  const router = new Router();
  router.get("/orders", protect(verifier, { scope: "orders:read" }), (ctx) => {
    ctx.body = { orders: orders.listFor(tokenOf(ctx).sub) };
  });
  router.post("/orders", protect(verifier, { scope: "orders:write" }), (ctx) => {
    ctx.status = 201;
    ctx.body = orders.addFor(tokenOf(ctx).sub);
  });
  router.post("/orders/:number/refund", protect(verifier, { scope: "orders:write", ...SURE_WHO_IT_IS }), (ctx) => {
    const refunded = orders.refundFor(tokenOf(ctx).sub, Number(ctx.params["number"]));
    ctx.status = refunded === undefined ? 404 : 200;
    ctx.body = refunded ?? { error: "not_found", error_description: "There is no such order" };
  });
  router.get("/", page.show);

  const app = new Koa();
  app.use(serveResourceMetadata(metadata));
  app.use(allowApp(appOrigin));
  app.use(page.record);
  app.use(router.routes());
  app.use(router.allowedMethods());

  const answer = app.callback();
  const server = createServer((request, response) => void answer(request, response));
  return server.on("close", () => void verifier.close());
}

/** CORS for one app. Any other origin's script may send a request, and cannot read the answer. */
function allowApp(appOrigin: string): Middleware {
  return async (ctx, next) => {
    ctx.vary("origin");
    if (ctx.get("origin") === appOrigin) {
      ctx.set({
        "access-control-allow-origin": appOrigin,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "authorization",
        // Without this the app's script could not see why it was refused, and so not what to do about it.
        "access-control-expose-headers": "www-authenticate",
        "access-control-max-age": "600",
      });
    }
    // A preflight carries no token, so it is answered before anything asks for one.
    if (ctx.method === "OPTIONS") ctx.status = 204;
    else await next();
  };
}
