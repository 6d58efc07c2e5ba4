import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice } from "../../support/cast.ts";
import { errorOf } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

describe("userinfo", () => {
  test.each([
    ["openid", []],
    ["openid email", ["email", "email_verified"]],
    ["openid profile", ["name", "updated_at"]],
    ["openid profile email", ["email", "email_verified", "name", "updated_at"]],
  ])("for %s tells these claims and no other [OIDC Core 5.4]", async (scope, claims) => {
    const { notesWeb } = world.apps;
    const { accessToken, claims: idToken } = await notesWeb.signIn(world.openBrowser(), alice, { scope });
    const info = await notesWeb.userInfo(accessToken, idToken.sub);
    expect(Object.keys(info).toSorted()).toEqual(["sub", ...claims].toSorted());
    expect(claims.includes("email") ? info["email"] : alice.email).toBe(alice.email);
  });

  test("refuses a token that is for an API [ASVS 9.2.3]", async () => {
    const { shopWeb } = world.apps;
    const { accessToken, claims } = await shopWeb.signIn(world.openBrowser(), alice, { scope: "openid orders:read" });
    expect(await errorOf(shopWeb.userInfo(accessToken, claims.sub))).toBe("invalid_token");
  });

  test("refuses nothing at all, and a token in the address", async () => {
    const { accessToken } = await world.apps.notesWeb.signIn(world.openBrowser(), alice);
    const endpoint = `${world.latchkey.issuer}/userinfo`;
    expect((await fetch(endpoint)).status).toBe(401);
    expect((await fetch(`${endpoint}?access_token=${accessToken}`)).status).toBe(400);
  });
});

describe("introspection", () => {
  test("tells a client about its own living token [RFC 7662 2.2]", async () => {
    const { deskBasic } = world.apps;
    const { accessToken, claims } = await deskBasic.signIn(world.openBrowser(), alice);
    const answer = await deskBasic.introspect(accessToken);
    expect(answer).toMatchObject({ active: true, client_id: "deskBasic", sub: claims.sub });
  });

  test("tells nobody about another client's token [RFC 7662 4]", async () => {
    const { deskBasic, deskPost, deskKey } = world.apps;
    const { accessToken, refreshToken } = await deskBasic.signIn(world.openBrowser(), alice);
    for (const token of [accessToken, refreshToken]) {
      expect(await deskPost.introspect(token)).toEqual({ active: false });
      expect(await deskKey.introspect(token)).toEqual({ active: false });
    }
  });

  test("calls a revoked, an unknown and a mistyped token inactive", async () => {
    const { deskBasic } = world.apps;
    const { accessToken } = await deskBasic.signIn(world.openBrowser(), alice);
    await deskBasic.revoke(accessToken);
    for (const token of [accessToken, "unknown", `${accessToken}x`]) {
      expect(await deskBasic.introspect(token)).toEqual({ active: false });
    }
  });

  test("asks who is asking [RFC 7662 2.1]", async () => {
    const body = new URLSearchParams({ token: "whatever", client_id: "deskBasic" });
    const response = await fetch(`${world.latchkey.issuer}/introspect`, { method: "POST", body });
    expect(response.status).toBe(401);
  });
});

describe("revocation", () => {
  test("of a refresh token ends its family and what it gave [RFC 7009 2.1]", async () => {
    const { notesWeb } = world.apps;
    const { accessToken, refreshToken, claims } = await notesWeb.signIn(world.openBrowser(), alice);
    await notesWeb.revoke(refreshToken);
    expect(await errorOf(notesWeb.refresh(refreshToken))).toBe("invalid_grant");
    expect(await errorOf(notesWeb.userInfo(accessToken, claims.sub))).toBe("invalid_token");
  });

  test("of an opaque access token leaves the refresh token alive [RFC 7009 2.1]", async () => {
    const { notesWeb } = world.apps;
    const { accessToken, refreshToken, claims } = await notesWeb.signIn(world.openBrowser(), alice);
    await notesWeb.revoke(accessToken);
    expect(await errorOf(notesWeb.userInfo(accessToken, claims.sub))).toBe("invalid_token");
    const refreshed = await notesWeb.refresh(refreshToken);
    expect(await notesWeb.userInfo(refreshed.accessToken, claims.sub)).toMatchObject({ sub: claims.sub });
  });

  test("by another client changes nothing [RFC 7009 2.1]", async () => {
    const { notesWeb, deskBasic, mailWeb } = world.apps;
    const { refreshToken } = await notesWeb.signIn(world.openBrowser(), alice);
    for (const stranger of [deskBasic, mailWeb]) await stranger.revoke(refreshToken).catch(() => undefined);
    await expect(notesWeb.refresh(refreshToken)).resolves.toBeDefined();
  });

  test("of a token that nobody knows is no error [RFC 7009 2.2]", async () => {
    await expect(world.apps.notesWeb.revoke("no-such-token")).resolves.toBeUndefined();
  });
});

test("a token of one kind is refused as every other kind", async () => {
  const { notesWeb } = world.apps;
  const { accessToken, refreshToken, idToken, claims } = await notesWeb.signIn(world.openBrowser(), alice);
  for (const token of [accessToken, idToken]) expect(await errorOf(notesWeb.refresh(token))).toBe("invalid_grant");
  for (const token of [refreshToken, idToken]) {
    expect(await errorOf(notesWeb.userInfo(token, claims.sub))).toBe("invalid_token");
  }
  expect(decodeJwt(idToken).aud).toBe("notesWeb");
});
