import { createServer, request as sendRequest, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { VerifierError, type VerifierErrorCode } from "../errors.ts";
import type { VerifiedToken } from "../verified-token.ts";
import type { TokenCheck } from "./authentication.ts";
import * as forExpress from "./express.ts";
import * as forFastify from "./fastify.ts";
import * as forFetch from "./fetch.ts";
import * as forKoa from "./koa.ts";

const METADATA = forKoa.createResourceMetadata({
  resource: "https://orders.example.com/v1",
  authorizationServers: ["https://id.example.com"],
});

const alicesToken: VerifiedToken = {
  sub: "alice",
  clientId: "shopWeb",
  scopes: ["orders:read"],
  tokenId: "grant.1",
  sessionId: "session",
  issuedAt: 1,
  expiresAt: 2,
  authTime: 1,
  acr: undefined,
  amr: [],
  proofKeyThumbprint: undefined,
  claims: {},
};

const verify = vi.fn<TokenCheck["verify"]>();
const onRefused = vi.fn<(error: VerifierError) => void>();
const verifier: TokenCheck = { verify };

/** Every adapter serves: GET and POST /orders for `orders:read`, /pay for a proof made for another origin, metadata. */
const READ = { scope: "orders:read", onRefused } as const;
const PAY = { origin: "https://orders.example.com" } as const;

function koaApp(): RequestListener {
  const app = new Koa();
  app.silent = true;
  app.use(forKoa.serveResourceMetadata(METADATA));
  const protectOrders = forKoa.protect(verifier, READ);
  const protectPay = forKoa.protect(verifier, PAY);
  app.use((ctx, next) => (ctx.path === "/pay" ? protectPay(ctx, next) : next()));
  app.use((ctx, next) => (ctx.path === "/orders" ? protectOrders(ctx, next) : next()));
  app.use((ctx) => {
    ctx.body = { sub: forKoa.tokenOf(ctx).sub };
  });
  const listener = app.callback();
  return (request, response) => void listener(request, response);
}

function expressApp(): RequestListener {
  const app = express();
  app.use(forExpress.serveResourceMetadata(METADATA));
  app.all("/orders", forExpress.protect(verifier, READ), (req, res) => {
    res.json({ sub: forExpress.tokenOf(req).sub });
  });
  app.all("/pay", forExpress.protect(verifier, PAY), (req, res) => {
    res.json({ sub: forExpress.tokenOf(req).sub });
  });
  app.get("/open", (req, res) => void res.json(forExpress.tokenOf(req)));
  app.use((_error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
    res.status(500).end();
  });
  return app;
}

/** Node's own server, with the middleware that Express uses. */
function plainApp(): RequestListener {
  const metadata = forExpress.serveResourceMetadata(METADATA);
  const protections = new Map([
    ["/orders", forExpress.protect(verifier, READ)],
    ["/pay", forExpress.protect(verifier, PAY)],
  ]);
  return (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const finish = (error?: unknown): void => {
      response.statusCode = error === undefined ? 200 : 500;
      response.end(error === undefined ? JSON.stringify({ sub: forExpress.tokenOf(request).sub }) : "");
    };
    const protect = (): void => {
      const middleware = protections.get(pathname);
      if (middleware === undefined) response.writeHead(500).end();
      else void middleware(request, response, finish);
    };
    void metadata(request, response, protect);
  };
}

async function fastifyApp(): Promise<RequestListener> {
  const app = Fastify();
  await app.register(forFastify.authentication, { resourceMetadata: METADATA });
  const methods = ["GET", "POST"];
  app.route({
    method: methods,
    url: "/orders",
    onRequest: forFastify.protect(verifier, READ),
    handler: (request) => ({ sub: forFastify.tokenOf(request).sub }),
  });
  app.route({
    method: methods,
    url: "/pay",
    preHandler: forFastify.protect(verifier, PAY),
    handler: (request) => ({ sub: forFastify.tokenOf(request).sub }),
  });
  app.get("/open", (request) => forFastify.tokenOf(request));
  await app.ready();
  return (request, response) => app.routing(request, response);
}

function honoApp(): RequestListener {
  const app = new Hono<{ Variables: { token: VerifiedToken } }>();
  app.use(async (c, next) => forFetch.serveResourceMetadata(METADATA, c.req.raw) ?? (await next()));
  app.all("/orders", forFetch.protect(verifier, READ), (c) => c.json({ sub: forFetch.tokenOf(c).sub }));
  app.all("/pay", forFetch.protect(verifier, PAY), (c) => c.json({ sub: c.get("token").sub }));
  app.get("/open", (c) => c.json(forFetch.tokenOf(c)));
  app.onError((_error, c) => c.body(null, 500));
  return (request, response) => void answerByFetch(async (asked) => app.fetch(asked), { request, response });
}

function fetchApp(): RequestListener {
  const answer = async (request: Request): Promise<Response> => {
    const metadata = forFetch.serveResourceMetadata(METADATA, request);
    if (metadata !== undefined) return metadata;
    const { pathname } = new URL(request.url);
    const protection = pathname === "/pay" ? PAY : READ;
    if (pathname === "/open") return Response.json({}, { status: 500 });
    const token = await forFetch.authenticate(verifier, request, protection);
    return token instanceof Response ? token : Response.json({ sub: token.sub });
  };
  return (request, response) => void answerByFetch(answer, { request, response });
}

/** What a platform does that speaks Fetch: here with Node underneath. */
async function answerByFetch(
  answer: (request: Request) => Promise<Response>,
  { request, response }: { request: Parameters<RequestListener>[0]; response: Parameters<RequestListener>[1] },
): Promise<void> {
  const headers = new Headers();
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    headers.append(request.rawHeaders[index] ?? "", request.rawHeaders[index + 1] ?? "");
  }
  const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
  try {
    const result = await answer(new Request(url, { method: request.method ?? "GET", headers }));
    response.writeHead(result.status, Object.fromEntries(result.headers)).end(await result.text());
  } catch {
    response.writeHead(500).end();
  }
}

const APPS: readonly { readonly name: string; readonly create: () => RequestListener | Promise<RequestListener> }[] = [
  { name: "Koa", create: koaApp },
  { name: "Express", create: expressApp },
  { name: "Node's http", create: plainApp },
  { name: "Fastify", create: fastifyApp },
  { name: "Hono", create: honoApp },
  { name: "Fetch", create: fetchApp },
];

type SentHeaders = Readonly<Record<string, string | readonly string[]>>;

beforeEach(() => {
  verify.mockResolvedValue(alicesToken);
  onRefused.mockReturnValue();
});

describe.each(APPS)("$name", ({ create }) => {
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    server = createServer(await create());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
  });

  /** Node's own client, because fetch would join headers that are sent twice. */
  async function call(path: string, headers: SentHeaders = {}, method = "GET") {
    return await new Promise<{ status: number; headers: Record<string, unknown>; body: unknown }>((resolve, reject) => {
      const sent = { connection: "close", ...headers } as Record<string, string | string[]>;
      const request = sendRequest(origin + path, { method, headers: sent }, (response) => {
        const body = json(response).catch(() => undefined);
        void body.then((value) =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: value }),
        );
      });
      request.once("error", reject);
      request.end();
    });
  }

  const refuseWith = (code: VerifierErrorCode, wwwAuthenticate?: string): void => {
    const challenge = wwwAuthenticate === undefined ? {} : { wwwAuthenticate };
    verify.mockRejectedValue(new VerifierError(code, { detail: "for the log alone", ...challenge }));
  };

  test("a token that is accepted reaches the route, which reads it", async () => {
    const answer = await call("/orders", { authorization: "Bearer abc.def.ghi" });
    expect(answer).toMatchObject({ status: 200, body: { sub: "alice" } });
    expect(verify.mock.calls).toEqual([["abc.def.ghi", { scope: "orders:read" }]]);
  });

  test.each([
    { what: "no header", headers: {} },
    { what: "another scheme", headers: { authorization: "Basic YWxpY2U6c2VjcmV0" } },
    { what: "a token in the query [RFC 9700 4.3.2]", headers: {}, query: "?access_token=abc.def.ghi" },
  ] as { what: string; headers: SentHeaders; query?: string }[])(
    "$what is no credential: the verifier's challenge for that is sent [RFC 6750 3.1]",
    async ({ headers, query = "" }) => {
      refuseWith("token_missing", "Bearer");
      const answer = await call(`/orders${query}`, headers);
      expect(verify.mock.calls).toEqual([[undefined, { scope: "orders:read" }]]);
      expect(answer).toMatchObject({ status: 401, body: { error: "unauthorized" } });
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
    },
  );

  test.each([
    { what: "two tokens in one header", authorization: "Bearer abc, Bearer def" },
    { what: "two headers", authorization: ["Bearer abc", "Bearer def"] },
    { what: "two headers of different schemes", authorization: ["Bearer abc", "Basic YWxpY2U6c2VjcmV0"] },
    { what: "a scheme without a token", authorization: "Bearer " },
    { what: "a token in a foreign alphabet", authorization: "DPoP a{b}" },
  ])("$what is refused with 400, unverified [RFC 6750 3.1]", async ({ authorization }) => {
    const answer = await call("/orders", { authorization });
    expect(answer).toMatchObject({ status: 400, body: { error: "invalid_request" } });
    expect(answer.headers["www-authenticate"]).toContain('error="invalid_request"');
    expect(verify).not.toHaveBeenCalled();
  });

  test("a refusal has the verifier's status, challenge and sentence, and is not stored", async () => {
    refuseWith("token_revoked", 'Bearer error="invalid_token"');
    const answer = await call("/orders", { authorization: "bearer abc" });
    expect(answer).toMatchObject({
      status: 401,
      body: { error: "invalid_token", error_description: "The token was revoked" },
    });
    expect(answer.headers).toMatchObject({
      "www-authenticate": 'Bearer error="invalid_token"',
      "cache-control": "no-store",
    });
    expect(answer.headers["content-type"]).toContain("application/json");
    expect(onRefused.mock.calls[0]?.[0].code).toBe("token_revoked");
  });

  test("a missing scope is 403", async () => {
    refuseWith("scope_insufficient", 'Bearer error="insufficient_scope", scope="orders:read"');
    const answer = await call("/orders", { authorization: "Bearer abc" }, "POST");
    expect(answer).toMatchObject({ status: 403, body: { error: "insufficient_scope" } });
  });

  test("a verifier that cannot decide is 503 with Retry-After: the token is not blamed", async () => {
    refuseWith("revocations_stale");
    const answer = await call("/orders", { authorization: "Bearer abc" });
    expect(answer).toMatchObject({ status: 503, body: { error: "temporarily_unavailable" } });
    // Nor is the caller told what is wrong with the service.
    expect(JSON.stringify(answer.body)).not.toMatch(/issuer|revocation|credential/i);
    expect(answer.headers["retry-after"]).toBe("5");
    expect(answer.headers["www-authenticate"]).toBeUndefined();
  });

  test.each([
    { what: "a verifier that is set up wrongly", error: new VerifierError("requirements_invalid") },
    { what: "a bug", error: new Error("a bug") },
  ])("$what is a failure of the service, and nobody gets in", async ({ error }) => {
    verify.mockRejectedValue(error);
    const answer = await call("/orders", { authorization: "Bearer abc" });
    expect([answer.status, answer.body]).not.toContainEqual({ sub: "alice" });
    expect(answer.status).toBe(500);
  });

  test("a bound token is verified with its proof, method and address [RFC 9449 7.1]", async () => {
    await call("/orders?page=2", { authorization: "DPoP abc", dpop: "a.b.c" }, "POST");
    const dpop = { proof: "a.b.c", method: "POST", url: `${origin}/orders?page=2` };
    expect(verify.mock.calls).toEqual([["abc", { scope: "orders:read", dpop }]]);
  });

  test("the configured origin is what a proof has to name, whatever Host and forwarded headers say", async () => {
    const headers = { host: "mallory.example.com", "x-forwarded-host": "mallory.example.com" };
    await call("/pay", { ...headers, authorization: "DPoP abc", dpop: "a.b.c" });
    expect(verify.mock.calls[0]?.[1]?.dpop?.url).toBe("https://orders.example.com/pay");
  });

  test.each([
    { what: "no proof", dpop: [], proof: "" },
    { what: "two proofs", dpop: ["a.b.c", "d.e.f"], proof: /^a\.b\.c, ?d\.e\.f$/ },
  ])("$what in the scheme DPoP is for the verifier to refuse [RFC 9449 4.3]", async ({ dpop, proof }) => {
    await call("/orders", { authorization: "DPoP abc", ...(dpop.length > 0 ? { dpop } : {}) });
    expect(verify.mock.calls[0]?.[1]?.dpop?.proof).toMatch(proof);
  });

  test("a proof beside a bearer token does not count: a bound token is refused as one [RFC 9449 7.2]", async () => {
    await call("/orders", { authorization: "Bearer abc", dpop: "a.b.c" });
    expect(verify.mock.calls[0]?.[1]).not.toHaveProperty("dpop");
  });

  test("the metadata is where the identifier says, for everybody [RFC 9728 3]", async () => {
    const answer = await call("/.well-known/oauth-protected-resource/v1");
    expect(answer).toMatchObject({ status: 200, body: { resource: "https://orders.example.com/v1" } });
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
  });

  test("a route that is not protected has no token to read", async () => {
    const answer = await call("/open", { authorization: "Bearer abc" });
    expect(answer.status).toBe(500);
  });
});
