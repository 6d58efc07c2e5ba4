import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  AUDIENCE,
  BILLING_API,
  type FakeIssuer,
  startFakeIssuer,
  type TokenShape,
} from "../../src/verifier/fake-issuer-fixture.ts";
import { createOrdersApi } from "./orders-api.ts";

const APP_ORIGIN = "https://shop-web.example.com";

const otherKeys = await generateKeyPair("ES256");
const servers: Server[] = [];
let latchkey: FakeIssuer;
let apiUrl = "";

async function startApi({ issuer }: FakeIssuer): Promise<string> {
  const server = createOrdersApi({ issuer, audience: AUDIENCE, client: BILLING_API, appOrigin: APP_ORIGIN });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function isLive(url: string): Promise<true> {
  if ((await (await fetch(url)).text()).includes("live:")) return true;
  throw new Error("the feed is not live");
}

interface Call extends RequestInit {
  readonly path?: string;
}

async function callApi(token: string | undefined, { path = "/orders", ...init }: Call = {}): Promise<Response> {
  const headers = { origin: APP_ORIGIN, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  return await fetch(apiUrl + path, { headers, ...init });
}

let count = 0;

/** Alice's token of her own name; what else is given is over what is usual. */
const tokenFor = (scope: string, shape: TokenShape = {}): Promise<string> =>
  latchkey.sign({ ...shape, claims: { scope, jti: `token-${(count += 1)}`, ...shape.claims } });

beforeAll(async () => {
  latchkey = await startFakeIssuer();
  apiUrl = await startApi(latchkey);
  await vi.waitFor(() => isLive(apiUrl), { timeout: 5_000 });
});

afterAll(async () => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  await latchkey.close();
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
    expect(answer.headers.get("www-authenticate")).toMatch(/error="insufficient_scope".*scope="orders:write"/);
  });
});

describe("anything else is refused with 401", () => {
  test("no token: a challenge without an error code [RFC 6750 3.1]", async () => {
    const answer = await callApi(undefined);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer /);
    expect(answer.headers.get("www-authenticate")).not.toContain("error");
  });

  test.each([
    { what: "an ID token [RFC 9068 4]", changes: { header: { typ: "JWT" } } },
    { what: "a token for another API [RFC 9700 2.3]", changes: { claims: { aud: "https://other.example.com" } } },
    { what: "a token of another issuer", changes: { claims: { iss: "https://other.example.com" } } },
    { what: "a token signed with another key", changes: { key: otherKeys.privateKey } },
    { what: "a token that has ended", changes: { claims: { exp: 1_700_000_000 } } },
    { what: "a token for nobody", changes: { claims: { sub: undefined } } },
  ] as { what: string; changes: TokenShape }[])("$what", async ({ changes }) => {
    const answer = await callApi(await tokenFor("orders:read", changes));
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
  });

  test("a token that was signed with nothing, or with the public key as a secret [RFC 8725 3.1]", async () => {
    const payload = (await tokenFor("orders:read")).split(".")[1] ?? "";
    const header = Buffer.from(JSON.stringify({ alg: "none", typ: "at+jwt" })).toString("base64url");
    const unsigned = await callApi(`${header}.${payload}.`);
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
    const publicKeys = await (await fetch(`${latchkey.issuer}/jwks`)).text();
    const hmac = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid: "key-1" })
      .sign(new TextEncoder().encode(publicKeys));
    expect([unsigned.status, (await callApi(hmac)).status]).toEqual([401, 401]);
  });
});

describe("a refund wants a second factor, lately", () => {
  const refund = async (claims: Readonly<Record<string, unknown>>, number = 1001): Promise<Response> =>
    await callApi(await tokenFor("orders:write", { claims }), { method: "POST", path: `/orders/${number}/refund` });
  const secondsAgo = (seconds: number): number => Math.floor(Date.now() / 1_000) - seconds;

  test.each([
    { what: "a password alone", claims: { acr: "urn:latchkey:acr:pwd" } },
    { what: "a class that nobody knows", claims: { acr: "urn:mallory:acr:mfa" } },
    { what: "no class", claims: { acr: undefined } },
    { what: "a second factor of an hour ago", claims: { acr: "urn:latchkey:acr:mfa", auth_time: secondsAgo(3_600) } },
    { what: "a second factor nobody knows when", claims: { acr: "phr", auth_time: undefined } },
  ])("$what is refused, and the app can read what to ask for [RFC 9470 3]", async ({ claims }) => {
    const answer = await refund(claims);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toMatch(
      /^Bearer error="insufficient_user_authentication",.* acr_values="urn:latchkey:acr:mfa phr", max_age="600"/,
    );
    expect(answer.headers.get("access-control-allow-origin")).toBe(APP_ORIGIN);
    expect(answer.headers.get("access-control-expose-headers")).toContain("www-authenticate");
  });

  test.each(["urn:latchkey:acr:mfa", "phr"])("%s is accepted, and twice is once", async (acr) => {
    const answers = [await refund({ acr, sub: acr }), await refund({ acr, sub: acr })];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    for (const answer of answers) expect(await answer.json()).toMatchObject({ number: 1001, status: "refunded" });
    const list = await callApi(await tokenFor("orders:read", { claims: { sub: acr } }));
    expect(await list.json()).toMatchObject({ orders: [{ number: 1001, status: "refunded" }] });
  });

  test("the scope is asked for first, and an order that is not theirs is a 404", async () => {
    const reader = await tokenFor("orders:read", { claims: { acr: "phr" } });
    expect((await callApi(reader, { method: "POST", path: "/orders/1001/refund" })).status).toBe(403);
    expect((await refund({ acr: "phr" }, 4711)).status).toBe(404);
  });
});

describe("a token that was revoked", () => {
  test("is refused from then on, and the others go on", async () => {
    const [dead, alive] = [await tokenFor("orders:read", { claims: { jti: "dead" } }), await tokenFor("orders:read")];
    expect((await callApi(dead)).status).toBe(200);
    latchkey.feed.revoke({ kind: "token", value: "dead" });
    await expect.poll(async () => (await callApi(dead)).status).toBe(401);
    expect(await (await callApi(dead)).json()).toMatchObject({ error: "invalid_token" });
    expect((await callApi(alive)).status).toBe(200);
  });

  test("is seen to die on the API's page, which shows no token and needs no script", async () => {
    const token = await tokenFor("orders:read", { claims: { jti: "shown" } });
    await callApi(token);
    latchkey.feed.revoke({ kind: "token", value: "shown" });
    await expect.poll(async () => (await callApi(token)).status).toBe(401);
    const answer = await fetch(`${apiUrl}/?watch`);
    const page = await answer.text();
    expect(page).toMatch(/<dd id="last-event">revocation \d+, of kind token, at /);
    expect(page).toMatch(/GET \/orders<\/td><td class="refused">401 The token was revoked/);
    expect(page).toMatch(/GET \/orders<\/td><td class="accepted">200 accepted/);
    for (const part of token.split(".")) expect(page).not.toContain(part);
    expect([page.includes("<script"), page.includes("alice")]).toEqual([false, false]);
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect([answer.headers.get("refresh"), (await fetch(apiUrl)).headers.get("refresh")]).toEqual(["1", null]);
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

test("who is refused learns where to read whom to ask [RFC 9728 5.1]", async () => {
  const challenge = (await callApi(undefined)).headers.get("www-authenticate");
  expect(challenge).toContain(`resource_metadata="${AUDIENCE}/.well-known/oauth-protected-resource"`);
  const answer = await fetch(`${apiUrl}/.well-known/oauth-protected-resource`);
  expect(await answer.json()).toMatchObject({ resource: AUDIENCE, authorization_servers: [latchkey.issuer] });
});

test.each([
  { method: "GET", path: "/nowhere", status: 404 },
  { method: "DELETE", path: "/orders", status: 405 },
])("$method $path is $status", async ({ method, path, status }) => {
  expect((await fetch(apiUrl + path, { method })).status).toBe(status);
});

test("an issuer that is away is a 503 with Retry-After, and the API recovers when it is back", async () => {
  const flaky = await startFakeIssuer();
  flaky.setAway(true);
  const url = await startApi(flaky);
  const authorization = `Bearer ${await flaky.sign()}`;
  const ask = (): Promise<Response> => fetch(`${url}/orders`, { headers: { authorization } });
  const away = await ask();
  flaky.setAway(false);
  await expect.poll(async () => (await ask()).status, { timeout: 15_000, interval: 200 }).toBe(200);
  await flaky.close();
  expect([away.status, away.headers.has("retry-after")]).toEqual([503, true]);
}, 20_000);
