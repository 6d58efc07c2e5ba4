import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deskBasic, deskKey, deskPost, notesWeb } from "../../support/apps.ts";
import { alice } from "../../support/cast.ts";
import { authorizeAs } from "../../support/journeys.ts";
import { errorOf } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

describe("every way of client authentication, as oauth4webapi sees it", () => {
  test.each(["deskBasic", "deskPost", "deskKey"] as const)("%s redeems its code and refreshes", async (name) => {
    const app = world.apps[name];
    const tokens = await app.signIn(world.openBrowser(), alice);
    expect(tokens.claims.sub).toBe(await world.accountIdOf(alice.email));
    expect((await app.refresh(tokens.refreshToken)).claims.sub).toBe(tokens.claims.sub);
  });
});

describe("every way of client authentication, as openid-client sees it", () => {
  const waysOf = (secrets: ReadonlyMap<string, string>, key: oauth.CryptoKey) => ({
    notesWeb: { redirectUri: notesWeb.redirectUris[0], way: openid.None() },
    deskBasic: {
      redirectUri: deskBasic.redirectUris[0],
      way: openid.ClientSecretBasic(secrets.get(deskBasic.id) ?? ""),
    },
    deskPost: { redirectUri: deskPost.redirectUris[0], way: openid.ClientSecretPost(secrets.get(deskPost.id) ?? "") },
    deskKey: { redirectUri: deskKey.redirectUris[0], way: openid.PrivateKeyJwt({ key, kid: "desk" }) },
  });

  test.each(["notesWeb", "deskBasic", "deskPost", "deskKey"] as const)(
    "%s signs a person in, refreshes, reads claims",
    async (id) => {
      const { redirectUri, way } = waysOf(world.secrets, world.deskPrivateKey)[id];
      const config = await openid.discovery(new URL(world.latchkey.issuer), id, undefined, way, {
        execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks],
      });
      const verifier = openid.randomPKCECodeVerifier();
      const checks = { expectedState: openid.randomState(), expectedNonce: openid.randomNonce() };
      const url = openid.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: "openid email",
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        state: checks.expectedState,
        nonce: checks.expectedNonce,
      });
      const page = await authorizeAs(world.openBrowser(), alice, url);
      const tokens = await openid.authorizationCodeGrant(config, page.url, { ...checks, pkceCodeVerifier: verifier });
      const subject = tokens.claims()?.sub ?? "";
      const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? "");
      const claims = await openid.fetchUserInfo(config, refreshed.access_token, subject);
      expect(claims).toMatchObject({ sub: subject, email: alice.email });
    },
  );
});

test("a client that is somebody else, or nobody, or has the wrong secret is refused [RFC 6749 5.2]", async () => {
  const { deskBasic: desk } = world.apps;
  const ways = [
    oauth.ClientSecretBasic("not-the-secret-not-the-secret-not-the-secret"),
    oauth.ClientSecretPost(world.secrets.get("deskPost") ?? ""),
    oauth.PrivateKeyJwt({ key: world.deskPrivateKey, kid: "desk" }),
    oauth.None(),
  ];
  for (const authentication of ways) {
    const impostor = world.appOf({ clientId: "deskBasic", redirectUri: desk.redirectUri, authentication });
    expect(await errorOf(impostor.refresh("whatever"))).toBe("invalid_client");
  }
});

describe("a code is refused", () => {
  const receiveCode = async (app: World["apps"]["notesWeb"], changes = {}) => {
    const request = await app.begin(changes);
    return { request, callback: (await authorizeAs(world.openBrowser(), alice, request.url)).url };
  };

  const errorIn = async (response: Response): Promise<unknown> => {
    expect(response.status).toBe(400);
    return ((await response.json()) as { error: string }).error;
  };

  test("to another client", async () => {
    const { request, callback } = await receiveCode(world.apps.notesWeb);
    const thief = world.appOf({ clientId: "mailWeb", redirectUri: world.apps.notesWeb.redirectUri });
    expect(await errorIn(await thief.redeem(request, callback))).toBe("invalid_grant");
  });

  test("with another redirect URI", async () => {
    const { request, callback } = await receiveCode(world.apps.notesWeb);
    const response = await world.apps.notesWeb.redeem(request, callback, "https://notes.example.com/other");
    expect(await errorIn(response)).toBe("invalid_grant");
  });

  test("with another verifier, and with none [RFC 7636 4.6] [RFC 9700 4.8]", async () => {
    const { notesWeb: app } = world.apps;
    const { request, callback } = await receiveCode(app);
    const other = { ...request, verifier: oauth.generateRandomCodeVerifier() };
    expect(await errorIn(await app.redeem(other, callback))).toBe("invalid_grant");
    const second = await receiveCode(app);
    const body = new URLSearchParams({
      grant_type: "authorization_code",
      client_id: "notesWeb",
      code: second.callback.searchParams.get("code") ?? "",
      redirect_uri: app.redirectUri,
    });
    const endpoint = world.server.token_endpoint ?? "";
    expect(await errorIn(await fetch(endpoint, { method: "POST", body }))).toBe("invalid_grant");
  });
});

describe("an authorization request is refused", () => {
  const answerTo = async (changes: Record<string, string | undefined>) => {
    const request = await world.apps.notesWeb.begin(changes);
    const { url } = await world.openBrowser().open(request.url);
    expect(url.origin).toBe("https://notes.example.com");
    expect(url.searchParams.get("state")).toBe(request.state);
    return url.searchParams;
  };

  test("without a challenge, and with a plain one [RFC 9700 2.1.1]", async () => {
    const without = await answerTo({ code_challenge: undefined, code_challenge_method: undefined });
    expect(without.get("error")).toBe("invalid_request");
    expect((await answerTo({ code_challenge_method: "plain" })).get("error")).toBe("invalid_request");
    expect((await answerTo({ code_challenge_method: undefined })).get("error")).toBe("invalid_request");
  });

  test.each(["token", "id_token", "code id_token", "code token", "none"])("for response type %s", async (type) => {
    const request = await world.apps.notesWeb.begin({ response_type: type });
    const { url, html } = await world.openBrowser().open(request.url);
    expect(`${url.href}${html}`).not.toMatch(/access_token=|id_token=|[?&#]code=/);
    expect(url.hash || url.search || html).toMatch(/unsupported_response_type|unauthorized_client|can’t/);
  });

  test("and the error names the issuer [RFC 9207]", async () => {
    const answer = await answerTo({ prompt: "none" });
    expect(answer.get("error")).toBe("login_required");
    expect(answer.get("iss")).toBe(world.latchkey.issuer);
  });
});

test("an answer with a code names the issuer, and oauth4webapi refuses another [RFC 9207]", async () => {
  const { notesWeb: app } = world.apps;
  const request = await app.begin();
  const { url } = await authorizeAs(world.openBrowser(), alice, request.url);
  expect(url.searchParams.get("iss")).toBe(world.latchkey.issuer);
  url.searchParams.set("iss", "https://elsewhere.example.com");
  await expect(app.redeem(request, url)).rejects.toThrow(/iss/);
});
