import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOrdersApi } from "./orders-api.ts";

const AUDIENCE = "https://orders.example.com";
const APP_ORIGIN = "https://shop-web.example.com";
const KEY_ID = "key-1";

const keys = await generateKeyPair("ES256");
const otherKeys = await generateKeyPair("ES256");
const servers: Server[] = [];
let issuer = "";
let apiUrl = "";

async function start(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Publishes what Latchkey publishes, and nothing else. */
function createIssuer(): Server {
  return createServer((request, response) => {
    void exportJWK(keys.publicKey).then((jwk) => {
      const isDiscovery = request.url === "/.well-known/openid-configuration";
      const keySet = { keys: [{ ...jwk, kid: KEY_ID, alg: "ES256", use: "sig" }] };
      response.setHeader("content-type", "application/json");
      return response.end(JSON.stringify(isDiscovery ? { issuer, jwks_uri: `${issuer}/jwks` } : keySet));
    });
  });
}

interface TokenOptions {
  readonly typ?: string;
  readonly key?: typeof keys.privateKey;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly expiresIn?: string;
}

async function tokenFor(scope: string, options: TokenOptions = {}): Promise<string> {
  return await new SignJWT({ client_id: "shopWeb", scope, sub: "alice", aud: AUDIENCE, iss: issuer, ...options.claims })
    .setProtectedHeader({ alg: "ES256", typ: options.typ ?? "at+jwt", kid: KEY_ID })
    .setIssuedAt()
    .setExpirationTime(options.expiresIn ?? "5m")
    .sign(options.key ?? keys.privateKey);
}

async function callApi(token: string | undefined, init: RequestInit = {}): Promise<Response> {
  const headers = { origin: APP_ORIGIN, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  return await fetch(`${apiUrl}/orders`, { headers, ...init });
}

beforeAll(async () => {
  issuer = await start(createIssuer());
  apiUrl = await start(createOrdersApi({ issuer, audience: AUDIENCE, appOrigin: APP_ORIGIN }));
});

afterAll(() => {
  for (const server of servers) server.close();
});

describe("a token that was issued for this API", () => {
  test("reads orders, and places them with the scope for it", async () => {
    const answer = await callApi(await tokenFor("openid orders:read"));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ orders: [{ number: 1001 }] });
    const placed = await callApi(await tokenFor("orders:write"), { method: "POST" });
    expect(placed.status).toBe(201);
  });

  test("without the scope is refused with 403, and told which scope it lacks [RFC 6750 3.1]", async () => {
    const answer = await callApi(await tokenFor("orders:read orders:writer"), { method: "POST" });
    expect(answer.status).toBe(403);
    expect(answer.headers.get("www-authenticate")).toContain('error="insufficient_scope", scope="orders:write"');
  });
});

describe("anything else is refused with 401", () => {
  test("no token: a challenge without an error code [RFC 6750 3.1]", async () => {
    const answer = await callApi(undefined);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="orders"');
  });

  test.each([
    { what: "an ID token [RFC 9068 4]", options: { typ: "JWT" } },
    { what: "a token for another API [RFC 9700 2.3]", options: { claims: { aud: "https://other.example.com" } } },
    { what: "a token of another issuer", options: { claims: { iss: "https://other.example.com" } } },
    { what: "a token signed with another key", options: { key: otherKeys.privateKey } },
    { what: "a token that has ended", options: { expiresIn: "-1m" } },
    { what: "a token for nobody", options: { claims: { sub: undefined } } },
  ] as { what: string; options: TokenOptions }[])("$what", async ({ options }) => {
    const answer = await callApi(await tokenFor("orders:read", options));
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
  });

  test("a token that was signed with nothing, or with the public key as a secret [RFC 8725 3.1]", async () => {
    const payload = (await tokenFor("orders:read")).split(".")[1];
    const header = Buffer.from(JSON.stringify({ alg: "none", typ: "at+jwt" })).toString("base64url");
    const unsigned = await callApi(`${header}.${payload}.`);
    const secret = new TextEncoder().encode(JSON.stringify(await exportJWK(keys.publicKey)));
    const hmac = await new SignJWT({
      scope: "orders:read",
      sub: "alice",
      client_id: "shopWeb",
      aud: AUDIENCE,
      iss: issuer,
    })
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid: KEY_ID })
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(secret);
    expect([unsigned.status, (await callApi(hmac)).status]).toEqual([401, 401]);
  });
});

describe("browsers", () => {
  test("the app's origin may call it and read why it was refused; no other origin may", async () => {
    const preflight = await callApi(undefined, { method: "OPTIONS" });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([204, APP_ORIGIN]);
    expect(preflight.headers.get("access-control-expose-headers")).toContain("www-authenticate");
    const stranger = await callApi(undefined, { headers: { origin: "https://mallory.example.com" } });
    expect(stranger.headers.get("access-control-allow-origin")).toBeNull();
  });
});

test("an issuer that is away is a 503 with Retry-After, and the API recovers when it is back", async () => {
  let isAway = true;
  const working = createIssuer();
  const flaky = createServer((incoming, response) => {
    if (isAway) response.writeHead(500).end();
    else working.emit("request", incoming, response);
  });
  const previousIssuer = issuer;
  issuer = await start(flaky);
  const url = await start(createOrdersApi({ issuer, audience: AUDIENCE, appOrigin: APP_ORIGIN }));
  const authorization = `Bearer ${await tokenFor("orders:read")}`;
  const away = await fetch(`${url}/orders`, { headers: { authorization } });
  isAway = false;
  const back = await fetch(`${url}/orders`, { headers: { authorization } });
  issuer = previousIssuer;
  expect([away.status, away.headers.has("retry-after"), back.status]).toEqual([503, true, 200]);
});
