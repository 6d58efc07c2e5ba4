import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SignatureAlgorithm } from "../../../src/clients/index.ts";
import { notesWeb } from "../../support/apps.ts";
import type { Browser } from "../../support/browser.ts";
import { alice, ordersApi, shopWeb } from "../../support/cast.ts";
import type { Stores } from "../../support/latchkey.ts";
import { createWorld, openWallet, type World } from "../../support/world.ts";

const SID = /^[\w-]{16}$/;
/** The grant, which begins with the session's id, and 16 random bytes. */
const JTI_OF_A_PERSON = /^[\w-]{24}\.[\w-]{22}$/;

describe.each<Stores>(["redis", "postgres"])("a JWT access token, on %s", (stores) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ stores });
  });
  afterAll(() => world.close());

  const nowSeconds = (): number => Math.floor(Date.now() / 1000);

  async function signOut(browser: Browser): Promise<void> {
    const page = await browser.open(`${world.latchkey.issuer}/end-session`);
    await browser.submit(page, page.formWith("xsrf"), { button: /^Sign out$/ });
  }

  async function signInOffline(browser: Browser) {
    return world.apps.shopWeb.signIn(browser, alice, {
      scope: "openid offline_access orders:read",
      prompt: "consent",
    });
  }

  test("of a person says what RFC 9068 asks for, and names its session and its grant [RFC 9068 2.2]", async () => {
    const { shopWeb: shop } = world.apps;
    const {
      accessToken,
      refreshToken,
      claims: idToken,
    } = await shop.signIn(world.openBrowser(), alice, {
      scope: "openid orders:read orders:write",
    });
    const claims = decodeJwt(accessToken);
    expect(decodeProtectedHeader(accessToken)).toMatchObject({ typ: "at+jwt", alg: "ES256" });
    expect(claims).toEqual({
      iss: world.latchkey.issuer,
      sub: await world.accountIdOf(alice.email),
      aud: ordersApi.identifier,
      client_id: "shopWeb",
      scope: "orders:read orders:write",
      iat: expect.any(Number),
      exp: (claims.iat ?? 0) + 300,
      jti: expect.stringMatching(JTI_OF_A_PERSON),
      sid: expect.stringMatching(SID),
      auth_time: idToken.auth_time,
      acr: "urn:latchkey:acr:pwd",
      amr: ["pwd"],
    });
    expect(nowSeconds() - Number(claims["auth_time"])).toBeLessThan(60);
    expect(claims.jti?.startsWith(String(claims["sid"]))).toBe(true);
    const next = decodeJwt((await shop.refresh(refreshToken)).accessToken);
    expect(next.jti).not.toBe(claims.jti);
    expect(next.jti?.split(".")[0]).toBe(claims.jti?.split(".")[0]);
    for (const claim of ["sid", "auth_time", "acr", "amr", "sub", "aud", "scope"]) {
      expect(next[claim]).toEqual(claims[claim]);
    }
  });

  test("that was given for longer names its session as long as that lasts, and not after a sign-out", async () => {
    const { shopWeb: shop } = world.apps;
    const browser = world.openBrowser();
    const first = await signInOffline(browser);
    const before = decodeJwt(first.accessToken);
    const second = await shop.refresh(first.refreshToken);
    expect(decodeJwt(second.accessToken)["sid"]).toBe(before["sid"]);
    await signOut(browser);
    const after = decodeJwt((await shop.refresh(second.refreshToken)).accessToken);
    expect(after).not.toHaveProperty("sid");
    expect(after).toMatchObject({ sub: before.sub, auth_time: before["auth_time"], acr: before["acr"], amr: ["pwd"] });
    expect(after.jti).toMatch(JTI_OF_A_PERSON);
    expect(after.jti?.split(".")[0]).toBe(before.jti?.split(".")[0]);
  });

  test("that is bound to a key says to which [RFC 9449 6.1]", async () => {
    const { app } = await openWallet(world);
    const { accessToken } = await app.signIn(world.openBrowser(), alice, { scope: "openid orders:read" });
    expect(decodeJwt(accessToken)).toMatchObject({ cnf: { jkt: expect.any(String) }, sid: expect.any(String) });
  });

  test("of a service has a random id without a grant, and no session or person", async () => {
    const response = await world.apps.billingApi.requestClientCredentials({ scope: "orders:read" });
    const { access_token: token } = (await response.json()) as { access_token: string };
    const claims = decodeJwt(token);
    expect(Object.keys(claims).toSorted()).toEqual(["aud", "client_id", "exp", "iat", "iss", "jti", "scope", "sub"]);
    expect(claims.jti).toMatch(/^[\w-]{43}$/);
  });

  test.each<SignatureAlgorithm>(["ES256", "EdDSA", "RS256", "PS256"])(
    "is signed with %s where its API asks for that, and lasts as long as its API says",
    async (algorithm) => {
      const identifier = `https://${algorithm.toLowerCase()}.example.com`;
      const id = `app-${algorithm}`;
      await world.latchkey.clients.addResourceServer({
        identifier,
        name: algorithm,
        scopes: [{ name: "read", description: "Read" }],
        accessTokenAlgorithm: algorithm,
        accessTokenSeconds: 77,
      });
      const resources = [{ identifier, scopes: ["read"] }];
      await world.latchkey.clients.addClient({ ...notesWeb, id, resources, defaultResource: identifier });
      const app = world.appOf({ clientId: id, redirectUri: notesWeb.redirectUris[0] });
      const { accessToken } = await app.signIn(world.openBrowser(), alice, { scope: "openid read" });
      const keys = createRemoteJWKSet(new URL(world.server.jwks_uri ?? ""));
      const { payload, protectedHeader } = await jwtVerify(accessToken, keys, {
        issuer: world.latchkey.issuer,
        audience: identifier,
        typ: "at+jwt",
        algorithms: [algorithm],
      });
      expect(protectedHeader.alg).toBe(algorithm);
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(77);
    },
  );

  test("is opaque where its API asks for that", async () => {
    const identifier = "https://opaque.example.com";
    await world.latchkey.clients.addResourceServer({ identifier, name: "Opaque", accessTokenFormat: "opaque" });
    await world.latchkey.clients.addClient({
      ...shopWeb,
      id: "opaqueWeb",
      isFirstParty: true,
      resources: [{ identifier, scopes: [] }],
      defaultResource: identifier,
    });
    const app = world.appOf({ clientId: "opaqueWeb", redirectUri: shopWeb.redirectUris[0] });
    const { accessToken } = await app.signIn(world.openBrowser(), alice, { scope: "openid" });
    expect(accessToken).toMatch(/^[\w-]{59}$/);
  });
});
