import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startNode, type TestLatchkey } from "../support/latchkey.ts";
import { createMovableClock } from "../support/movable-clock.ts";
import { askNode } from "../support/raw-http.ts";
import { freePort } from "../support/servers.ts";
import { createWorld, type World } from "../support/world.ts";

const FAILURES_MAX = 30;
const clock = createMovableClock();
let world: World;
let secondNode: TestLatchkey;
beforeAll(async () => {
  world = await createWorld({ stores: "redis", clock, settings: { TRUSTED_PROXIES: "1" } });
  secondNode = await startNode({ clock, settings: { ...world.latchkey.settings, PORT: String(await freePort()) } });
});
afterAll(async () => {
  await secondNode.close();
  await world.close();
});
beforeEach(() => clock.passSeconds(60));

interface Asking {
  readonly clientId: string;
  readonly secret: string;
  readonly address: string;
  readonly path?: string;
  readonly node?: TestLatchkey;
}

interface Answer {
  readonly status: number;
  readonly retryAfter: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function ask({ clientId, secret, address, path = "/token", node = world.latchkey }: Asking): Promise<Answer> {
  const { status, headers, body } = await askNode(`http://127.0.0.1:${node.settings.PORT}${path}`, {
    method: "POST",
    headers: {
      host: new URL(world.latchkey.issuer).host,
      authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded",
      "x-forwarded-for": address,
    },
    body: new URLSearchParams(path === "/token" ? { grant_type: "client_credentials" } : { token: "abc" }).toString(),
  });
  const parsed = body === "" ? {} : (JSON.parse(body) as Answer["body"]);
  return { status, retryAfter: Number(headers.get("retry-after")), body: parsed };
}

const right = (address: string, more: Partial<Asking> = {}) =>
  ask({ clientId: "billingApi", secret: world.secrets.get("billingApi") ?? "", address, ...more });
const wrong = (address: string, more: Partial<Asking> = {}) =>
  ask({ clientId: "billingApi", secret: "a wrong secret", address, ...more });

async function failUntilClosed(address: string, more: Partial<Asking> = {}): Promise<void> {
  for (let count = 0; count < FAILURES_MAX; count += 1)
    expect(await wrong(address, more)).toMatchObject({ status: 401 });
  expect(await wrong(address, more)).toMatchObject({ status: 429 });
}

test("a client that fails too often is told when to try again, and only there: who has the secret elsewhere is served [ASVS 6.3.1]", async () => {
  await failUntilClosed("203.0.113.1");
  const refused = await right("203.0.113.1");
  expect(refused).toMatchObject({ status: 429, body: { error: "temporarily_unavailable" } });
  expect(refused.retryAfter).toBeGreaterThanOrEqual(1);
  expect(refused.retryAfter).toBeLessThanOrEqual(60);
  expect(refused.body["error_description"]).toContain(`try again in ${refused.retryAfter} seconds`);
  expect(await right("203.0.113.2")).toMatchObject({ status: 200 });
  clock.passSeconds(refused.retryAfter);
  expect(await right("203.0.113.1")).toMatchObject({ status: 200 });
});

test("the endpoints where clients prove who they are share one count, over both nodes [ASVS 6.3.1]", async () => {
  const places = [{ path: "/introspect" }, { path: "/revoke", node: secondNode }, { path: "/par" }, {}];
  for (let count = 0; count < FAILURES_MAX; count += 1) {
    expect(await wrong("203.0.113.3", places[count % places.length])).toMatchObject({ status: 401 });
  }
  // Each node learns of it by one more that fails.
  for (const node of [world.latchkey, secondNode]) {
    expect(await wrong("203.0.113.3", { node })).toMatchObject({ status: 429 });
    for (const path of ["/token", "/introspect", "/revoke"]) {
      expect(await right("203.0.113.3", { path, node })).toMatchObject({ status: 429 });
    }
  }
  const events = await world.latchkey.audit.list({ type: "client_throttled", limit: 100 });
  expect(events.filter(({ address }) => address === "203.0.113.3")).toMatchObject([{ clientId: "billingApi" }]);
});

test("invented client ids count as one, and cost no client anything", async () => {
  for (let count = 0; count < FAILURES_MAX; count += 1) {
    expect(await wrong("203.0.113.4", { clientId: `invented-${count}` })).toMatchObject({ status: 401 });
  }
  expect(await wrong("203.0.113.4", { clientId: "invented" })).toMatchObject({ status: 429 });
  expect(await wrong("203.0.113.4", { clientId: "invented-too" })).toMatchObject({ status: 429 });
  expect(await right("203.0.113.4")).toMatchObject({ status: 200 });
});

test("a public client has nothing to prove: nobody can close it for the people of a network", async () => {
  const askShop = (count: number) => wrong("203.0.113.5", { clientId: "shopWeb", secret: `secret ${count}` });
  for (let count = 0; count < FAILURES_MAX + 5; count += 1) expect(await askShop(count)).toMatchObject({ status: 401 });
});

test("success costs no round trip and forgets nothing: failures between are counted on", async () => {
  for (let round = 0; round < 3; round += 1) {
    for (let count = 0; count < FAILURES_MAX / 3; count += 1) {
      expect(await wrong("203.0.113.6")).toMatchObject({ status: 401 });
    }
    expect(await right("203.0.113.6")).toMatchObject({ status: 200 });
  }
  expect(await wrong("203.0.113.6")).toMatchObject({ status: 429 });
});
