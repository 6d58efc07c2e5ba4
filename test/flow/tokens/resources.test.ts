import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ledgerApi, vaultApi } from "../../support/apps.ts";
import { alice, ordersApi } from "../../support/cast.ts";
import { authorizeAs } from "../../support/journeys.ts";
import { errorOf } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

test("a request that names a resource gets a token for it and nothing else [RFC 8707]", async () => {
  const { accessToken } = await world.apps.mailWeb.signIn(world.openBrowser(), alice, {
    scope: "openid orders:read ledger:read",
    resource: ledgerApi.identifier,
  });
  expect(decodeJwt(accessToken)).toMatchObject({ aud: ledgerApi.identifier, scope: "ledger:read" });
});

test("a token for one API is refused by another's verifier [ASVS 9.2.3]", async () => {
  const { accessToken } = await world.apps.mailWeb.signIn(world.openBrowser(), alice, {
    scope: "openid orders:read",
    resource: ordersApi.identifier,
  });
  const keys = createRemoteJWKSet(new URL(world.server.jwks_uri ?? ""));
  const { issuer } = world.latchkey;
  await expect(jwtVerify(accessToken, keys, { issuer, audience: ordersApi.identifier })).resolves.toBeDefined();
  await expect(jwtVerify(accessToken, keys, { issuer, audience: ledgerApi.identifier })).rejects.toThrow(/aud/);
});

test("a request that names none gets its default resource, or an opaque token", async () => {
  const browser = world.openBrowser();
  const shop = await world.apps.shopWeb.signIn(browser, alice, { scope: "openid orders:read" });
  expect(decodeJwt(shop.accessToken).aud).toBe(ordersApi.identifier);
  const notes = await world.apps.notesWeb.signIn(browser, alice);
  expect(notes.accessToken).not.toContain(".");
});

test.each([
  ["a resource that is registered for others", vaultApi.identifier],
  ["a resource that nobody registered", "https://nowhere.example.com"],
  ["a resource with a fragment", `${ledgerApi.identifier}#part`],
  ["a resource in another spelling", `${ledgerApi.identifier}/`],
  ["a resource that is no URI", "ledger"],
])("%s is invalid_target [RFC 8707 2]", async (_title, resource) => {
  const request = await world.apps.mailWeb.begin({ resource });
  const { url } = await world.openBrowser().open(request.url);
  expect(url.searchParams.get("error")).toBe("invalid_target");
  expect(url.searchParams.get("iss")).toBe(world.latchkey.issuer);
});

test("a refresh cannot reach a resource that the person was not asked about", async () => {
  const { mailWeb } = world.apps;
  const { refreshToken } = await mailWeb.signIn(world.openBrowser(), alice, {
    scope: "openid orders:read",
    resource: ordersApi.identifier,
  });
  expect(await errorOf(mailWeb.refresh(refreshToken, { resource: ledgerApi.identifier }))).toBe("invalid_target");
});

test("scopes outside the client's list are never granted [RFC 9700 2.3]", async () => {
  const { mailWeb } = world.apps;
  const request = await mailWeb.begin({
    scope: "openid orders:read orders:write vault:read",
    resource: ordersApi.identifier,
  });
  const { url } = await authorizeAs(world.openBrowser(), alice, request.url);
  const { accessToken } = await mailWeb.complete(request, url);
  expect(decodeJwt(accessToken)["scope"]).toBe("orders:read");
});

test("a refresh for more scope is invalid_scope [RFC 6749 6]", async () => {
  const { mailWeb } = world.apps;
  const { refreshToken } = await mailWeb.signIn(world.openBrowser(), alice, {
    scope: "openid orders:read",
    resource: ordersApi.identifier,
  });
  expect(await errorOf(mailWeb.refresh(refreshToken, { scope: "openid profile" }))).toBe("invalid_scope");
});

test("a service gets a token in its own name: no session, no person [RFC 9068 2.2]", async () => {
  const { billingApi } = world.apps;
  const response = await billingApi.requestClientCredentials({ scope: "orders:read" });
  const answer = (await response.json()) as { access_token: string; refresh_token?: string; id_token?: string };
  const claims = decodeJwt(answer.access_token);
  expect(claims).toMatchObject({ sub: "billingApi", client_id: "billingApi", aud: ordersApi.identifier });
  expect(claims).toMatchObject({ scope: "orders:read", iss: world.latchkey.issuer });
  for (const claim of ["sid", "auth_time", "amr", "acr", "email", "name"]) expect(claims).not.toHaveProperty(claim);
  expect(answer.refresh_token ?? answer.id_token).toBeUndefined();
});

test("a service's token for a scope that it may not have is refused [ASVS 10.4.11]", async () => {
  const { billingApi } = world.apps;
  const answer = (await (await billingApi.requestClientCredentials({ scope: "vault:read" })).json()) as object;
  expect(answer).toMatchObject({ error: "invalid_scope" });
  const other = (await (await billingApi.requestClientCredentials({ resource: vaultApi.identifier })).json()) as object;
  expect(other).toMatchObject({ error: "invalid_target" });
});

test("a public client gets no token in its own name [RFC 6749 4.4]", async () => {
  const response = await world.apps.notesWeb.requestClientCredentials();
  expect(response.status).toBe(400);
  expect(await response.json()).not.toHaveProperty("access_token");
});
