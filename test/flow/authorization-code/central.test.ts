import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice, ordersApi } from "../../support/cast.ts";
import { authorizeAs } from "../../support/journeys.ts";
import type { Stores } from "../../support/latchkey.ts";
import { errorOf } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";

// The way that everything else is a variation of, on every combination of stores that is supported.
describe.each<Stores>(["redis", "postgres", "embedded"])("on %s", (stores) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ stores });
  });
  afterAll(() => world.close());

  test("a public client signs a person in with PKCE and gets a token for its API [RFC 7636] [RFC 9068]", async () => {
    const { accessToken, claims } = await world.apps.shopWeb.signIn(world.openBrowser(), alice, {
      scope: "openid profile orders:read",
    });
    const keys = createRemoteJWKSet(new URL(world.server.jwks_uri ?? ""));
    const { payload, protectedHeader } = await jwtVerify(accessToken, keys, {
      issuer: world.latchkey.issuer,
      audience: ordersApi.identifier,
      typ: "at+jwt",
      algorithms: ["ES256"],
    });
    expect(protectedHeader.alg).toBe("ES256");
    expect(payload).toMatchObject({ client_id: "shopWeb", scope: "orders:read", sub: claims.sub, amr: ["pwd"] });
    expect(payload["sid"]).toMatch(/^[\w-]{16}$/);
    expect(claims.sub).toBe(await world.accountIdOf(alice.email));
  });

  test("a refresh gives a new refresh token, and a used one ends the family once its successor was used [RFC 9700 4.14.2] [ASVS 10.4.5]", async () => {
    const { shopWeb } = world.apps;
    const first = await shopWeb.signIn(world.openBrowser(), alice);
    const second = await shopWeb.refresh(first.refreshToken);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(second.claims.sub).toBe(first.claims.sub);
    const third = await shopWeb.refresh(second.refreshToken);
    expect(await errorOf(shopWeb.refresh(first.refreshToken))).toBe("invalid_grant");
    expect(await errorOf(shopWeb.refresh(third.refreshToken))).toBe("invalid_grant");
  });

  test("an authorization request that an app posts ends in the app [OIDC Core 3.1.2.1]", async () => {
    const { notesWeb } = world.apps;
    const request = await notesWeb.begin();
    const { origin, pathname, searchParams } = new URL(request.url);
    const headers = { "content-type": "application/x-www-form-urlencoded", origin: "https://notes.example.com" };
    const browser = world.openBrowser();
    const posted = await browser.fetch(origin + pathname, { method: "POST", headers, body: searchParams.toString() });
    expect(posted.status).toBe(303);
    const { url } = await authorizeAs(browser, alice, new URL(posted.headers.get("location") ?? "", origin));
    expect((await notesWeb.complete(request, url)).accessToken).toBeTruthy();
  });

  test("a code works once, and its second use ends what the first one gave [RFC 9700 4.5]", async () => {
    const { notesWeb } = world.apps;
    const request = await notesWeb.begin();
    const { url } = await authorizeAs(world.openBrowser(), alice, request.url);
    const tokens = await notesWeb.complete(request, url);
    expect(await errorOf(notesWeb.complete(request, url))).toBe("invalid_grant");
    expect(await errorOf(notesWeb.refresh(tokens.refreshToken))).toBe("invalid_grant");
    expect(await errorOf(notesWeb.userInfo(tokens.accessToken, tokens.claims.sub))).toBe("invalid_token");
  });
});
