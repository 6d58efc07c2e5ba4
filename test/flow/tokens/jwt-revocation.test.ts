import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Cable, layCable } from "../../support/cable.ts";
import { alice, bob, ordersApi } from "../../support/cast.ts";
import type { Stores, TestLatchkey } from "../../support/latchkey.ts";
import { errorOf } from "../../support/relying-party.ts";
import {
  addService,
  type Answer,
  type Caller,
  ledgerService,
  ordersService,
  post,
  startSecondNode,
} from "../../support/services.ts";
import { createTestDatabase, type TestStore } from "../../support/stores.ts";
import { createWorld, openWallet, type World } from "../../support/world.ts";

const INACTIVE = { active: false };
const FOR_ORDERS = { scope: "openid orders:read" };
const SHOP: Caller = { id: "shopWeb" };
const SHOP_ORIGIN = "https://shop.example.com";

describe.each<Stores>(["redis", "postgres"])("revocation, on %s [RFC 7009]", (stores) => {
  let world: World;
  let second: TestLatchkey;
  let orders: Caller;
  let billing: Caller;

  beforeAll(async () => {
    world = await createWorld({ stores });
    orders = await addService(world.latchkey, ordersService);
    await addService(world.latchkey, ledgerService);
    billing = { id: "billingApi", secret: world.secrets.get("billingApi") };
    second = await startSecondNode(world.latchkey);
  });
  afterAll(async () => {
    await second.close();
    await world.close();
  });

  const openShop = (person = alice) => world.apps.shopWeb.signIn(world.openBrowser(), person, FOR_ORDERS);

  async function isActive(token: string, node: TestLatchkey): Promise<boolean> {
    const { body } = await post(node, "/introspect", { caller: orders, parameters: { token } });
    return (body as { active: boolean }).active;
  }

  function revoke(token: string, caller: Caller = SHOP, more: Record<string, string> = {}): Promise<Answer> {
    return post(world.latchkey, "/revoke", { caller, parameters: { token, ...more } });
  }

  async function openService(): Promise<string> {
    const parameters = { grant_type: "client_credentials", scope: "orders:read" };
    const { body } = await post(world.latchkey, "/token", { caller: billing, parameters });
    return (body as { access_token: string }).access_token;
  }

  const listRevoked = async () => world.latchkey.audit.list({ type: "token_revoked", limit: 100 });

  test("of a JWT by a public client is empty, and at once known at every node [RFC 7009 2.2]", async () => {
    const { accessToken, refreshToken } = await openShop();
    const other = await world.apps.shopWeb.refresh(refreshToken);
    expect(await isActive(accessToken, second)).toBe(true);
    const answer = await revoke(accessToken);
    expect(answer).toMatchObject({ status: 200, body: "" });
    expect(await isActive(accessToken, second)).toBe(false);
    expect(await isActive(accessToken, world.latchkey)).toBe(false);
    // It alone: neither its grant nor its session.
    expect(await isActive(other.accessToken, second)).toBe(true);
    await expect(world.apps.shopWeb.refresh(other.refreshToken)).resolves.toBeDefined();
  });

  test("of a service's JWT ends it, and none of its others", async () => {
    const [token, other] = [await openService(), await openService()];
    expect(await revoke(token, billing)).toMatchObject({ status: 200 });
    expect(await isActive(token, second)).toBe(false);
    expect(await isActive(other, second)).toBe(true);
  });

  test("of a bound JWT needs no proof: who has it may give it back", async () => {
    const { app } = await openWallet(world);
    const { accessToken } = await app.signIn(world.openBrowser(), alice, FOR_ORDERS);
    expect(await revoke(accessToken, { id: "walletWeb" })).toMatchObject({ status: 200 });
    expect(await isActive(accessToken, second)).toBe(false);
  });

  test.each(["access_token", "refresh_token", "something-else"])(
    "believes no hint: %s [RFC 7009 2.1]",
    async (hint) => {
      const { accessToken } = await openShop();
      await revoke(accessToken, SHOP, { token_type_hint: hint });
      expect(await isActive(accessToken, second)).toBe(false);
    },
  );

  test("by another client, whoever that is, changes nothing and tells it nothing [RFC 7009 2.1]", async () => {
    const { accessToken } = await openShop();
    for (const caller of [{ id: "notesWeb" }, orders, billing]) {
      expect(await revoke(accessToken, caller)).toMatchObject({ status: 200, body: "" });
    }
    expect(await isActive(accessToken, second)).toBe(true);
  });

  test("by nobody in particular is refused", async () => {
    const { accessToken } = await openShop();
    for (const caller of [{ ...billing, secret: "wrong" }, { id: "nobody" }]) {
      expect((await revoke(accessToken, caller)).status).toBe(401);
    }
    expect(await isActive(accessToken, second)).toBe(true);
  });

  test("of what is no access token, or no longer one, is no error [RFC 7009 2.2]", async () => {
    const { accessToken, idToken } = await openShop();
    const [header, payload] = accessToken.split(".");
    await revoke(accessToken);
    const before = (await listRevoked()).length;
    for (const token of [accessToken, idToken, `${header}.${payload}.`, `${header}.`, `${accessToken}x`, "x"]) {
      expect(await revoke(token)).toMatchObject({ status: 200, body: "" });
    }
    expect(await listRevoked()).toHaveLength(before);
  });

  test("is recorded once, with what it was and whose, and without the token", async () => {
    const { accessToken } = await openShop(bob);
    const accountId = await world.accountIdOf(bob.email);
    await revoke(accessToken);
    await revoke(accessToken);
    const events = (await listRevoked()).filter((event) => event.accountId === accountId);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      clientId: "shopWeb",
      sessionId: decodeJwt(accessToken)["sid"],
      requestId: expect.any(String),
      data: { kind: "jwt_access_token" },
    });
    expect(JSON.stringify(events)).not.toContain(accessToken.slice(0, 40));
  });

  test("of a refresh token ends its grant with its JWTs, at every node, and is recorded [RFC 7009 2.1]", async () => {
    const first = await openShop();
    const next = await world.apps.shopWeb.refresh(first.refreshToken);
    const before = (await listRevoked()).length;
    expect(await revoke(next.refreshToken)).toMatchObject({ status: 200, body: "" });
    for (const { accessToken } of [first, next]) expect(await isActive(accessToken, second)).toBe(false);
    expect(await errorOf(world.apps.shopWeb.refresh(next.refreshToken))).toBe("invalid_grant");
    const events = await listRevoked();
    expect(events).toHaveLength(before + 1);
    expect(events[0]).toMatchObject({ clientId: "shopWeb", data: { kind: "refresh_token" } });
  });

  test("of an opaque access token leaves the rest of its grant alone, and is recorded", async () => {
    const { notesWeb } = world.apps;
    const { accessToken, refreshToken, claims } = await notesWeb.signIn(world.openBrowser(), alice);
    expect(await revoke(accessToken, { id: "notesWeb" })).toMatchObject({ status: 200, body: "" });
    expect(await errorOf(notesWeb.userInfo(accessToken, claims.sub))).toBe("invalid_token");
    await expect(notesWeb.refresh(refreshToken)).resolves.toBeDefined();
    expect((await listRevoked())[0]).toMatchObject({ clientId: "notesWeb", data: { kind: "opaque_access_token" } });
  });

  test("of a token that a client only asked about is not recorded as revoked", async () => {
    const { accessToken, refreshToken } = await world.apps.notesWeb.signIn(world.openBrowser(), alice);
    const before = (await listRevoked()).length;
    for (const token of [accessToken, refreshToken]) await revoke(token, SHOP);
    expect(await listRevoked()).toHaveLength(before);
  });

  test("can be asked for by the app's own pages, and by no others [Fetch]", async () => {
    const { accessToken } = await openShop();
    const from = (origin: string): Promise<Response> =>
      fetch(world.server.revocation_endpoint ?? "", {
        method: "POST",
        headers: { origin },
        body: new URLSearchParams({ token: accessToken, client_id: SHOP.id }),
      });
    const foreign = await from("https://mallory.example.com");
    expect(foreign.status).toBe(400);
    expect(foreign.headers.get("access-control-allow-origin")).toBeNull();
    expect(await isActive(accessToken, second)).toBe(true);
    const own = await from(SHOP_ORIGIN);
    expect(own.status).toBe(200);
    expect(own.headers.get("access-control-allow-origin")).toBe(SHOP_ORIGIN);
    expect(await isActive(accessToken, second)).toBe(false);
  });

  test("answers a browser that prefers pages like anybody else", async () => {
    const { accessToken } = await openShop();
    const headers = { accept: "text/html" };
    const asked = { caller: orders, parameters: { token: accessToken }, headers };
    const { body } = await post(world.latchkey, "/introspect", asked);
    expect(body).toMatchObject({ active: true });
    const answer = await post(world.latchkey, "/revoke", { caller: SHOP, parameters: { token: accessToken }, headers });
    expect(answer).toMatchObject({ status: 200, body: "" });
    expect((await post(world.latchkey, "/introspect", asked)).body).toEqual(INACTIVE);
  });

  describe("by an operator who found the token", () => {
    const revokeToken = (token: string) => world.latchkey.protocol.revokeToken(token);

    test("of a JWT says whose it was, and every node refuses it", async () => {
      const { accessToken } = await openShop();
      const accountId = await world.accountIdOf(alice.email);
      expect(await revokeToken(accessToken)).toEqual({ kind: "jwt_access_token", clientId: "shopWeb", accountId });
      expect(await isActive(accessToken, second)).toBe(false);
      const service = await openService();
      expect(await revokeToken(service)).toEqual({
        kind: "jwt_access_token",
        clientId: "billingApi",
        accountId: undefined,
      });
      expect(await isActive(service, second)).toBe(false);
    });

    test("of a refresh token ends its grant", async () => {
      const { accessToken, refreshToken } = await openShop();
      expect(await revokeToken(refreshToken)).toMatchObject({ kind: "refresh_token", clientId: "shopWeb" });
      expect(await isActive(accessToken, second)).toBe(false);
      expect(await errorOf(world.apps.shopWeb.refresh(refreshToken))).toBe("invalid_grant");
    });

    test("of an opaque access token ends that alone", async () => {
      const { notesWeb } = world.apps;
      const { accessToken, refreshToken, claims } = await notesWeb.signIn(world.openBrowser(), alice);
      expect(await revokeToken(accessToken)).toMatchObject({ kind: "opaque_access_token", clientId: "notesWeb" });
      expect(await errorOf(notesWeb.userInfo(accessToken, claims.sub))).toBe("invalid_token");
      await expect(notesWeb.refresh(refreshToken)).resolves.toBeDefined();
    });

    test("of anything else does nothing", async () => {
      const { idToken } = await openShop();
      const before = (await listRevoked()).length;
      for (const token of [idToken, "", "x", "a.b.c", "x".repeat(59), "x".repeat(88), "x".repeat(92)]) {
        expect(await revokeToken(token)).toBeUndefined();
      }
      expect(await listRevoked()).toHaveLength(before);
    });
  });

  test("of all that a client got is seen where the person's claims are", async () => {
    const { deskBasic } = world.apps;
    const { accessToken, claims } = await deskBasic.signIn(world.openBrowser(), alice);
    await expect(deskBasic.userInfo(accessToken, claims.sub)).resolves.toBeDefined();
    await world.latchkey.revocations.record([{ kind: "client", clientId: "deskBasic" }]);
    const refused = async () => errorOf(deskBasic.userInfo(accessToken, claims.sub)).catch(() => "");
    await expect.poll(refused, { timeout: 2_000 }).toBe("invalid_token");
  });

  test("of an opaque token for an API is seen by the client that introspects for it", async () => {
    const identifier = `${ordersApi.identifier}/opaque`;
    await world.latchkey.clients.addResourceServer({ identifier, name: "Opaque", accessTokenFormat: "opaque" });
    const access = { resources: [{ identifier, scopes: [] }], defaultResource: identifier };
    const caller = await addService(world.latchkey, { ...ordersService, ...access, id: "opaqueService" });
    const api = await addService(world.latchkey, { ...ordersService, id: "opaqueApi", introspects: [identifier] });
    const { body } = await post(world.latchkey, "/token", { caller, parameters: { grant_type: "client_credentials" } });
    const { access_token: token } = body as { access_token: string };
    const ask = async () => (await post(second, "/introspect", { caller: api, parameters: { token } })).body;
    expect(await ask()).toMatchObject({ active: true, aud: identifier });
    await world.latchkey.revocations.record([{ kind: "client", clientId: "opaqueService" }]);
    expect(await ask()).toEqual(INACTIVE);
  });
});

describe("revocation while Postgres is away", () => {
  let world: World;
  let cable: Cable;
  let ground: TestStore;

  beforeAll(async () => {
    ground = await createTestDatabase();
    cable = await layCable(ground.url);
    world = await createWorld({ stores: "redis", settings: { DATABASE_URL: cable.url } });
  });
  afterAll(async () => {
    await world.close();
    await cable.close();
    await ground.drop();
  });
  afterEach(() => cable.mend());

  test.each(["accessToken", "refreshToken"] as const)(
    "is 503 for the %s, and asked for again it ends what it should have ended",
    async (which) => {
      const orders = await addService(world.latchkey, { ...ordersService, id: `orders-${which}` });
      const tokens = await world.apps.shopWeb.signIn(world.openBrowser(), alice, FOR_ORDERS);
      const revoke = (): Promise<Answer> =>
        post(world.latchkey, "/revoke", { caller: SHOP, parameters: { token: tokens[which] } });
      const isActive = async (): Promise<unknown> => {
        const parameters = { token: tokens.accessToken };
        return (await post(world.latchkey, "/introspect", { caller: orders, parameters })).body;
      };
      expect(await isActive()).toMatchObject({ active: true });
      await cable.cut();
      const refused = await revoke();
      expect(refused.status).toBe(503);
      expect(refused.headers.get("retry-after")).not.toBeNull();
      await cable.mend();
      await expect.poll(async () => (await revoke()).status, { timeout: 5_000 }).toBe(200);
      expect(await isActive()).toEqual(INACTIVE);
    },
  );
});
