import { createHmac } from "node:crypto";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { decodeJwt, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ledgerApi } from "../../support/apps.ts";
import { alice, ordersApi } from "../../support/cast.ts";
import type { Stores } from "../../support/latchkey.ts";
import { addService, type Caller, ledgerService, ordersService, post } from "../../support/services.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { newSecret } from "../../support/latchkey.ts";
import { createWorld, type World } from "../../support/world.ts";

describe.each<Stores>(["redis", "postgres"])("a token for the revocation feed, on %s", (stores) => {
  let world: World;
  let feedUrl: string;
  let orders: Caller;

  beforeAll(async () => {
    world = await createWorld({ stores });
    feedUrl = `${world.latchkey.issuer}/revocations`;
    orders = await addService(world.latchkey, ordersService);
    await addService(world.latchkey, ledgerService);
  });
  afterAll(() => world.close());

  const request = (parameters: Record<string, string>, caller = orders) =>
    post(world.latchkey, "/token", { caller, parameters: { grant_type: "client_credentials", ...parameters } });

  async function obtain(caller = orders): Promise<string> {
    const { body } = await request({ scope: "revocations" }, caller);
    return (body as { access_token: string }).access_token;
  }

  /** The status and the challenge; the connection is closed again, whether the answer has an end or not. */
  async function open(authorization: string | undefined, query = "") {
    const headers = authorization === undefined ? {} : { authorization };
    const asking = get(feedUrl + query, { headers, agent: false });
    const [answer] = (await once(asking, "response")) as [IncomingMessage];
    asking.destroy();
    return { status: answer.statusCode, challenge: answer.headers["www-authenticate"] ?? "" };
  }

  describe("is given", () => {
    test("to a service that introspects for an API: a JWT of five minutes for the feed alone", async () => {
      const { status, body } = await request({ scope: "revocations" });
      expect(status).toBe(200);
      const { access_token: token, ...rest } = body as { access_token: string };
      expect(rest).toEqual({ expires_in: 300, scope: "revocations", token_type: "Bearer" });
      const claims = decodeJwt(token);
      expect(claims).toMatchObject({ aud: feedUrl, scope: "revocations", client_id: orders.id, sub: orders.id });
      expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(300);
      expect(claims).not.toHaveProperty("sid");
    });

    test("also when the feed is named as the resource, and to a client with a default resource", async () => {
      expect((await request({ scope: "revocations", resource: feedUrl })).status).toBe(200);
      const access = { resources: [{ identifier: ordersApi.identifier, scopes: ["orders:read"] }] };
      const settings = { ...ordersService, ...access, defaultResource: ordersApi.identifier, id: "ordersWorker" };
      const caller = await addService(world.latchkey, settings);
      const [feed, api] = [
        await request({ scope: "revocations" }, caller),
        await request({ scope: "orders:read" }, caller),
      ];
      expect([feed, api].map(({ body }) => decodeJwt((body as { access_token: string }).access_token).aud)).toEqual([
        feedUrl,
        ordersApi.identifier,
      ]);
    });

    test.each([
      ["together with another scope", { scope: "revocations orders:read" }, "invalid_scope"],
      [
        "without its scope",
        {
          get resource() {
            return feedUrl;
          },
        },
        "invalid_scope",
      ],
      ["for another API", { scope: "revocations", resource: ordersApi.identifier }, "invalid_target"],
      [
        "for a feed elsewhere",
        { scope: "revocations", resource: "https://mallory.example.com/revocations" },
        "invalid_target",
      ],
      [
        "in another spelling",
        {
          get resource() {
            return `${feedUrl}/`;
          },
          scope: "revocations",
        },
        "invalid_target",
      ],
    ])("never %s", async (_title, parameters, error) => {
      const { status, body } = await request({ ...parameters });
      expect(status).toBe(400);
      expect(body).toMatchObject({ error });
    });

    test("never to a service that introspects for no API", async () => {
      const { status, body } = await request(
        { scope: "revocations" },
        { id: "billingApi", secret: world.secrets.get("billingApi") },
      );
      expect(status).toBe(400);
      expect(body).toMatchObject({ error: "invalid_scope" });
    });

    test("never to a public client, nor to one that may not ask in its own name", async () => {
      const desk = { id: "deskBasic", secret: world.secrets.get("deskBasic") };
      for (const caller of [{ id: "shopWeb" }, desk]) {
        const { status, body } = await request({ scope: "revocations" }, caller);
        expect(status).toBe(400);
        expect(body).toMatchObject({ error: "invalid_request" });
      }
    });

    test("never in the name of a person", async () => {
      const asked = await world.apps.shopWeb.begin({ scope: "openid revocations", resource: feedUrl });
      const { url } = await world.openBrowser().open(asked.url);
      expect(url.searchParams.get("error")).toBe("invalid_target");
      const { accessToken } = await world.apps.shopWeb.signIn(world.openBrowser(), alice, {
        scope: "openid orders:read revocations",
      });
      expect(decodeJwt(accessToken)).toMatchObject({ aud: ordersApi.identifier, scope: "orders:read" });
    });
  });

  describe("opens the feed", () => {
    test("at the address that the metadata names", async () => {
      expect(world.server["revocation_feed_endpoint"]).toBe(feedUrl);
      expect(await open(`Bearer ${await obtain()}`)).toMatchObject({ status: 200 });
    });

    test("for the client's own APIs only", async () => {
      const bearer = `Bearer ${await obtain()}`;
      const of = (audience: string): string => `?audience=${encodeURIComponent(audience)}`;
      expect(await open(bearer, of(ordersApi.identifier))).toMatchObject({ status: 200 });
      for (const query of [of(ledgerApi.identifier), "?audience=", `${of(ordersApi.identifier)}&audience=x`]) {
        const { status, challenge } = await open(bearer, query);
        expect(status).toBe(403);
        expect(challenge).toContain('error="insufficient_scope"');
      }
    });

    test("in the Authorization header, and nowhere else [RFC 6750 2]", async () => {
      const token = await obtain();
      expect(await open(undefined)).toMatchObject({ status: 401 });
      expect(await open(undefined, `?access_token=${token}`)).toMatchObject({ status: 401 });
      for (const scheme of ["Basic", "DPoP", "Bearer  ", ""]) {
        expect(await open(`${scheme} ${token}`)).toMatchObject({ status: 401 });
      }
    });
  });

  test("is refused when it is another's, of another kind or forged [ASVS 9.1] [ASVS 9.2.2]", async () => {
    const token = await obtain();
    const claims = decodeJwt(token);
    const [header, payload, signature] = token.split(".");
    const keys = (
      (await (await fetch(`${world.latchkey.issuer}/jwks`)).json()) as { keys: { alg: string; kid: string }[] }
    ).keys;
    const kid = keys.find(({ alg }) => alg === "ES256")?.kid ?? "";
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    const sign = (more: object): Promise<string> =>
      new SignJWT(claims).setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid, ...more }).sign(privateKey);
    const hs256 = `${Buffer.from(JSON.stringify({ alg: "HS256", typ: "at+jwt", kid })).toString("base64url")}.${payload}`;
    const secret = JSON.stringify(keys.find(({ alg }) => alg === "ES256"));
    const shop = await world.apps.shopWeb.signIn(world.openBrowser(), alice, { scope: "openid orders:read" });
    const notes = await world.apps.notesWeb.signIn(world.openBrowser(), alice);
    const billing = await world.apps.billingApi.requestClientCredentials({ scope: "orders:read" });
    const other = await createWorld({ stores, settings: { LATCHKEY_SECRET: newSecret() } });
    const elsewhere = await addService(other.latchkey, ordersService);
    const foreign = await post(other.latchkey, "/token", {
      caller: elsewhere,
      parameters: { grant_type: "client_credentials", scope: "revocations" },
    });
    await other.close();
    const refused = {
      "without a signature": `${header}.${payload}.`,
      "alg none": new UnsecuredJWT(claims).encode(),
      HS256: `${hs256}.${createHmac("sha256", secret).update(hs256).digest("base64url")}`,
      "another key": await sign({}),
      "another key in its header": await sign({ jwk: await exportJWK(publicKey) }),
      "a changed claim": `${header}.${Buffer.from(JSON.stringify({ ...claims, sub: "x" })).toString("base64url")}.${signature}`,
      "a person's token for an API": shop.accessToken,
      "an ID token": shop.idToken,
      "an opaque token": notes.accessToken,
      "a refresh token": notes.refreshToken,
      "a service's token for an API": ((await billing.json()) as { access_token: string }).access_token,
      "another issuer's": (foreign.body as { access_token: string }).access_token,
      garbage: "a.b.c",
    };
    for (const [what, one] of Object.entries(refused)) {
      const { status, challenge } = await open(`Bearer ${one}`);
      expect(status, what).toBe(401);
      expect(challenge, what).toContain('error="invalid_token"');
    }
    expect(await open(`Bearer ${token}`)).toMatchObject({ status: 200 });
  });

  test("is refused when it is bound to a key, which the feed does not ask for", async () => {
    const { secret = "" } = await addService(world.latchkey, { ...ordersService, id: `bound-${stores}` });
    const keyPair = await oauth.generateKeyPair("ES256");
    const app = world.appOf({
      clientId: `bound-${stores}`,
      redirectUri: "",
      authentication: oauth.ClientSecretBasic(secret),
      dpop: oauth.DPoP({}, keyPair),
    });
    const response = await app.requestClientCredentials({ scope: "revocations" });
    const { access_token: token } = (await response.json()) as { access_token: string };
    expect(await open(`Bearer ${token}`)).toMatchObject({ status: 401 });
    expect(await open(`DPoP ${token}`)).toMatchObject({ status: 401 });
  });

  test("is refused once it has expired", async () => {
    const token = await obtain();
    startTimeTravel().advanceSeconds(301);
    expect(await open(`Bearer ${token}`)).toMatchObject({ status: 401 });
  });

  test("is refused once its client gave it back, introspects for no API any more, or is gone", async () => {
    const settings = { ...ordersService, id: `leaving-${stores}` };
    const caller = await addService(world.latchkey, settings);
    const [first, second] = [await obtain(caller), await obtain(caller)];
    expect(await open(`Bearer ${first}`)).toMatchObject({ status: 200 });
    await post(world.latchkey, "/revoke", { caller, parameters: { token: first } });
    expect(await open(`Bearer ${first}`)).toMatchObject({ status: 401 });
    expect(await open(`Bearer ${second}`)).toMatchObject({ status: 200 });
    await world.latchkey.clients.changeClient(settings.id, { ...settings, introspects: [] });
    expect(await open(`Bearer ${second}`)).toMatchObject({ status: 403 });
    await world.latchkey.clients.removeClient(settings.id);
    expect(await open(`Bearer ${second}`)).toMatchObject({ status: 401 });
  });

  test("cannot be mistaken for another API's: neither its address nor its scope can be registered", async () => {
    const { clients } = world.latchkey;
    const api = { name: "Mallory", identifier: feedUrl };
    await expect(clients.addResourceServer(api)).rejects.toMatchObject({ code: "RESOURCE_SERVER_INVALID" });
    const document = { resources: [api] };
    await expect(clients.applyDocument(document, { secretFiles: new Map(), mode: "apply" })).rejects.toMatchObject({
      code: "RESOURCE_SERVER_INVALID",
    });
    const scopes = [{ name: "revocations", description: "Mine" }];
    const shadow = { name: "Shadow", identifier: "https://shadow.example.com", scopes };
    await expect(clients.addResourceServer(shadow)).rejects.toMatchObject({ code: "RESOURCE_SERVER_INVALID" });
    expect(await clients.findResourceServer(feedUrl)).toBeUndefined();
  });
});
