import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../../src/observability/index.ts";
import { type Cable, layCable } from "../../support/cable.ts";
import { alice, bob, mallory, ordersApi } from "../../support/cast.ts";
import type { Stores, TestLatchkey } from "../../support/latchkey.ts";
import { addService, type Answer, type Caller, ledgerService, ordersService, post } from "../../support/services.ts";
import { startSecondNode } from "../../support/services.ts";
import { createTestDatabase, type TestStore } from "../../support/stores.ts";
import { createWorld, openWallet, type World } from "../../support/world.ts";

const INACTIVE = { active: false };
const FOR_ORDERS = { scope: "openid orders:read" };

const lines: string[] = [];
const logger = createLogger({ level: "debug", destination: { write: (line: string) => void lines.push(line) } });

describe.each<Stores>(["redis", "postgres"])("introspection of a JWT access token, on %s [RFC 7662]", (stores) => {
  let world: World;
  let second: TestLatchkey;
  let orders: Caller;
  let ledger: Caller;

  beforeAll(async () => {
    world = await createWorld({ stores, logger });
    orders = await addService(world.latchkey, ordersService);
    ledger = await addService(world.latchkey, ledgerService);
    second = await startSecondNode(world.latchkey);
  });
  afterAll(async () => {
    await second.close();
    await world.close();
  });

  function ask(token: string, changes: { caller?: Caller; node?: TestLatchkey; hint?: string } = {}): Promise<Answer> {
    const { caller = orders, node = world.latchkey, hint } = changes;
    const parameters = { token, ...(hint === undefined ? {} : { token_type_hint: hint }) };
    return post(node, "/introspect", { caller, parameters });
  }

  const openShop = (person = alice) => world.apps.shopWeb.signIn(world.openBrowser(), person, FOR_ORDERS);

  test("tells the API that it is for all that the token says [RFC 7662 2.2]", async () => {
    const { accessToken } = await openShop();
    const answer = await ask(accessToken);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toContain("no-store");
    expect(answer.body).toEqual({ active: true, token_type: "Bearer", ...decodeJwt(accessToken) });
    expect(Object.keys(answer.body as object)).toEqual(
      expect.arrayContaining([
        "scope",
        "client_id",
        "sub",
        "aud",
        "iss",
        "exp",
        "iat",
        "jti",
        "sid",
        "auth_time",
        "acr",
        "amr",
      ]),
    );
  });

  test("is the same on every node, whatever type the token is said to be [RFC 7662 2.1]", async () => {
    const { accessToken } = await openShop();
    for (const hint of ["access_token", "refresh_token", "something-else"]) {
      expect((await ask(accessToken, { hint, node: second })).body).toMatchObject({ active: true });
    }
  });

  test("tells a service about the token that it got itself", async () => {
    const answer = await world.apps.billingApi.requestClientCredentials({ scope: "orders:read" });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    const billing = { id: "billingApi", secret: world.secrets.get("billingApi") };
    for (const caller of [billing, orders]) {
      const { body } = await ask(token, { caller });
      expect(body).toEqual({ active: true, token_type: "Bearer", ...decodeJwt(token) });
      expect(body).not.toHaveProperty("sid");
    }
  });

  test("tells of a bound token that it is, and to which key [RFC 9449 6.2]", async () => {
    const { app } = await openWallet(world);
    const { accessToken } = await app.signIn(world.openBrowser(), alice, FOR_ORDERS);
    const { cnf } = decodeJwt(accessToken);
    expect((await ask(accessToken)).body).toMatchObject({ active: true, token_type: "DPoP", cnf });
  });

  test("says to others no more than that it is inactive [RFC 7662 4]", async () => {
    const { accessToken } = await openShop();
    const stranger = { id: "deskPost", secret: world.secrets.get("deskPost") };
    for (const caller of [ledger, { id: "notesWeb" }]) {
      expect((await ask(accessToken, { caller })).body).toEqual(INACTIVE);
    }
    const parameters = { token: accessToken, client_id: stranger.id, client_secret: stranger.secret ?? "" };
    const { body } = await post(world.latchkey, "/introspect", { caller: { id: stranger.id }, parameters });
    expect(body).toEqual(INACTIVE);
  });

  test("asks who is asking before it looks at the token [RFC 7662 2.1]", async () => {
    const { accessToken } = await openShop();
    const { status, body } = await ask(accessToken, { caller: { ...orders, secret: "wrong" } });
    expect(status).toBe(401);
    expect(body).toMatchObject({ error: "invalid_client" });
  });

  test("calls an ID token inactive: it is no access token [ASVS 9.2.2]", async () => {
    const { idToken } = await openShop();
    expect((await ask(idToken)).body).toEqual(INACTIVE);
  });

  test("knows at once, on every node, that a session ended", async () => {
    const browser = world.openBrowser();
    const { accessToken } = await world.apps.shopWeb.signIn(browser, alice, FOR_ORDERS);
    const other = await openShop();
    expect((await ask(accessToken, { node: second })).body).toMatchObject({ active: true });
    const page = await browser.open(`${world.latchkey.issuer}/end-session`);
    await browser.submit(page, page.formWith("xsrf"), { button: /^Sign out$/ });
    expect((await ask(accessToken, { node: second })).body).toEqual(INACTIVE);
    expect((await ask(other.accessToken, { node: second })).body).toMatchObject({ active: true });
  });

  test("knows at once, on every node, that an account was disabled", async () => {
    const { accessToken } = await openShop(mallory);
    const { accessToken: bobs } = await openShop(bob);
    expect((await ask(accessToken, { node: second })).body).toMatchObject({ active: true });
    await world.latchkey.accounts.disable(await world.accountIdOf(mallory.email));
    expect((await ask(accessToken, { node: second })).body).toEqual(INACTIVE);
    expect((await ask(bobs, { node: second })).body).toMatchObject({ active: true });
  });

  test("calls the token of a client inactive that is gone, and whose id is another's now", async () => {
    const service = {
      ...ordersService,
      id: "shortLived",
      resources: [{ identifier: ordersApi.identifier, scopes: [] }],
    };
    const caller = await addService(world.latchkey, { ...service, defaultResource: ordersApi.identifier });
    const parameters = { grant_type: "client_credentials" };
    const { body } = await post(world.latchkey, "/token", { caller, parameters });
    const { access_token: token } = body as { access_token: string };
    expect((await ask(token)).body).toMatchObject({ active: true });
    await world.latchkey.clients.removeClient("shortLived");
    expect((await ask(token)).body).toEqual(INACTIVE);
  });

  test("is no refusal in the log", async () => {
    const { accessToken } = await openShop();
    lines.length = 0;
    await ask(accessToken);
    await ask(accessToken, { caller: ledger });
    const told = lines.join("");
    expect(told).toContain("/introspect");
    expect(told).not.toMatch(/request refused|unsupported_token_type/);
  });
});

describe("introspection of a JWT access token, without Postgres", () => {
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

  test("is 503 with a time to come back, and not an answer", async () => {
    const caller = await addService(world.latchkey, ordersService);
    const { accessToken } = await world.apps.shopWeb.signIn(world.openBrowser(), alice, FOR_ORDERS);
    const ask = (): Promise<Answer> =>
      post(world.latchkey, "/introspect", { caller, parameters: { token: accessToken } });
    expect((await ask()).body).toMatchObject({ active: true });
    await cable.cut();
    const answer = await ask();
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).not.toBeNull();
    expect(answer.body).toMatchObject({ error: "temporarily_unavailable" });
    await cable.mend();
    await expect.poll(async () => (await ask()).body, { timeout: 5_000 }).toMatchObject({ active: true });
  });
});
