import { sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { ordersApi } from "../../support/cast.ts";
import { ledgerApi } from "../../support/apps.ts";
import { layCable } from "../../support/cable.ts";
import { type FeedClient, type FeedRequest, openFeed } from "../../support/feed-client.ts";
import { type LatchkeyOptions, populate, startLatchkey, startNode, type TestLatchkey } from "../../support/latchkey.ts";
import { createMovableClock } from "../../support/movable-clock.ts";
import { createLogger } from "../../../src/observability/index.ts";
import type { NewRevocation } from "../../../src/sessions/index.ts";
import { freePort } from "../../support/servers.ts";
import { ledgerService, ordersService, post, startSecondNode } from "../../support/services.ts";
import { createTestDatabase } from "../../support/stores.ts";
import { untilNodesRun } from "../../support/running-nodes.ts";
import { startTimeTravel } from "../../support/time-travel.ts";

const WITHIN = { timeout: 8_000, interval: 5 };

async function startWorld(options: Partial<LatchkeyOptions> = {}) {
  const latchkey = await startLatchkey({ stores: "postgres", ...options });
  onTestFinished(() => latchkey.close());
  const secrets = await populate(latchkey, {
    resourceServers: [ordersApi, ledgerApi],
    clients: [ordersService, ledgerService],
  });
  const tokenOf = async (id: string = ordersService.id): Promise<string> => {
    const parameters = { grant_type: "client_credentials", scope: "revocations" };
    const { body } = await post(latchkey, "/token", { caller: { id, secret: secrets.get(id) }, parameters });
    return (body as { readonly access_token: string }).access_token;
  };
  const open = async (request: Partial<FeedRequest> = {}, node: TestLatchkey = latchkey): Promise<FeedClient> => {
    const feed = await openFeed(node, { token: await tokenOf(), ...request });
    onTestFinished(() => feed.close());
    return feed;
  };
  return { latchkey, tokenOf, open };
}

describe("connections", () => {
  test("of one client are as many as the setting says, and one more is refused until one is gone", async () => {
    const { open } = await startWorld({ settings: { FEED_CLIENT_CONNECTIONS_MAX: "2" } });
    const [first, second] = [await open(), await open()];
    expect([first.status, second.status]).toEqual([200, 200]);
    const refused = await open();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    first.close();
    await expect.poll(async () => (await open()).status, WITHIN).toBe(200);
  });

  test("of all clients are as many as the setting says, refused ones among them not counted", async () => {
    const { open, tokenOf } = await startWorld({ settings: { FEED_CONNECTIONS_MAX: "2" } });
    expect((await open({ token: "forged" })).status).toBe(401);
    expect((await open()).status).toBe(200);
    expect((await open({ token: await tokenOf(ledgerService.id) })).status).toBe(200);
    const refused = await open();
    expect(refused.status).toBe(503);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  });

  test("that are asked for at the same moment do not get past the limit", async () => {
    const { open, tokenOf } = await startWorld({ settings: { FEED_CLIENT_CONNECTIONS_MAX: "3" } });
    const token = await tokenOf();
    const feeds = await Promise.all(Array.from({ length: 10 }, () => open({ token })));
    expect(feeds.filter(({ status }) => status === 200)).toHaveLength(3);
  });
});

describe("connections of one client over two nodes", () => {
  const settings = { FEED_CLIENT_CONNECTIONS_MAX: "3" };

  test("that are asked for at the same moment do not get past the limit, and a node that stops frees its places", async () => {
    const { latchkey, open, tokenOf } = await startWorld({ settings });
    const other = await startSecondNode(latchkey);
    onTestFinished(() => other.close());
    const token = await tokenOf();
    const nodes = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? latchkey : other));
    const feeds = await Promise.all(nodes.map((node) => open({ token }, node)));
    expect(feeds.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(feeds.filter(({ status }) => status === 429)).toHaveLength(7);
    const there = feeds.filter(({ status }, at) => status === 200 && nodes[at] === other);
    await other.stopNode();
    const again = await Promise.all(Array.from({ length: 4 }, () => open({ token })));
    expect(again.filter(({ status }) => status === 200)).toHaveLength(there.length);
  });

  test("count while their node is heard of, and are free when it is not: a crash takes nobody's place for good", async () => {
    const { latchkey, open, tokenOf } = await startWorld({ settings });
    const cable = await layCable(latchkey.settings.DATABASE_URL ?? "");
    onTestFinished(() => cable.close());
    const port = String(await freePort());
    const dying = await startNode({ settings: { ...latchkey.settings, DATABASE_URL: cable.url, PORT: port } });
    onTestFinished(() => dying.close());
    await untilNodesRun(latchkey, 2);
    const token = await tokenOf();
    for (let count = 0; count < 3; count += 1) expect((await open({ token }, dying)).status).toBe(200);
    expect((await open({ token })).status).toBe(429);
    // From here on nothing is heard of it, and nothing that it would give back arrives.
    await cable.cut();
    await passSilence(latchkey, 19);
    expect((await open({ token })).status).toBe(429);
    await passSilence(latchkey, 2);
    await expect.poll(async () => (await open({ token })).status, WITHIN).toBe(200);
  });
});

/** What is in the tables of nodes that are not heard of is so many seconds older. */
async function passSilence({ database }: TestLatchkey, seconds: number): Promise<void> {
  await sql`update nodes set last_seen_at = last_seen_at - make_interval(secs => ${seconds})`.execute(database.db);
  await sql`update feed_connections set opened_at = opened_at - make_interval(secs => ${seconds})`.execute(database.db);
}

test("a reader that takes nothing is cut off, and goes on where it was; the others never wait for it", async () => {
  const clock = createMovableClock();
  const { latchkey, open } = await startWorld({ clock, settings: { FEED_BUFFER_BYTES_MAX: "16384" } });
  const [slow, quick] = [await open(), await open()];
  await slow.upToDate();
  await quick.upToDate();
  slow.pause();
  const padding = "x".repeat(2_000);
  const news = (first: number): NewRevocation[] =>
    Array.from({ length: 500 }, (_, at) => ({ kind: "token", tokenId: `${first + at}-${padding}`, audiences: "all" }));
  // More than the system's own buffers take in, and each time more than one connection may have waiting.
  for (let count = 0; count < 10_000; count += 500) {
    await latchkey.revocations.record(news(count));
    await expect.poll(() => quick.values().length, WITHIN).toBe(count + 500);
  }
  clock.passSeconds(10);
  await quick.upToDate();
  clock.passSeconds(1);
  await quick.upToDate();
  const count = quick.events.length;
  await expect.poll(() => quick.events.length, WITHIN).toBeGreaterThan(count);
  slow.resume();
  expect(await slow.ended).toBe("cut");
  const resumed = await open({ lastEventId: slow.lastId() });
  await resumed.upToDate();
  expect([...slow.values(), ...resumed.values()]).toEqual(quick.values());
});

test("a connection ends with the token that opened it, and the next token goes on without a gap", async () => {
  const { latchkey, open } = await startWorld();
  const feed = await open();
  await feed.upToDate();
  const travel = startTimeTravel();
  travel.advanceSeconds(270);
  const count = feed.events.length;
  await expect.poll(() => feed.events.length, WITHIN).toBeGreaterThan(count);
  travel.advanceSeconds(30);
  expect(await feed.ended).toBe("whole");
  await latchkey.revocations.record([{ kind: "token", tokenId: "meanwhile", audiences: "all" }]);
  const next = await open({ lastEventId: feed.lastId() });
  await next.upToDate();
  expect(next.events.map(({ event }) => event)).toEqual(["revocation", "heartbeat"]);
});

test("without the table there is no heartbeat and no new connection, and with it both are back", async () => {
  const ground = await createTestDatabase();
  const cable = await layCable(ground.url);
  onTestFinished(async () => {
    await cable.close();
    await ground.drop();
  });
  const { open, tokenOf } = await startWorld({ settings: { DATABASE_URL: cable.url } });
  const token = await tokenOf();
  const feed = await open({ token });
  await feed.upToDate();
  await cable.cut();
  await expect.poll(async () => (await open({ token })).status, WITHIN).toBe(503);
  const count = feed.events.length;
  // Two looks later at the least: each refusal has waited for one of its own.
  const startedAt = performance.now();
  while (performance.now() - startedAt < 2_500) expect((await open({ token })).status).toBe(503);
  expect(feed.events).toHaveLength(count);
  await cable.mend();
  await expect.poll(() => feed.events.length, WITHIN).toBeGreaterThan(count);
  expect(feed.events.at(-1)?.event).toBe("heartbeat");
});

test("a node that stops ends its connections in good order, and their readers lose nothing at another", async () => {
  const { latchkey, open, tokenOf } = await startWorld();
  const stopping = await startSecondNode(latchkey);
  onTestFinished(() => stopping.close());
  const token = await tokenOf();
  const feeds = [await open({ token }, stopping), await open({ token }, stopping)];
  for (const feed of feeds) await feed.upToDate();
  const startedAt = performance.now();
  await stopping.stopNode();
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  await latchkey.revocations.record([{ kind: "token", tokenId: "meanwhile", audiences: "all" }]);
  for (const feed of feeds) {
    expect(await feed.ended).toBe("whole");
    const next = await open({ token, lastEventId: feed.lastId() });
    await next.upToDate();
    expect(next.values()).toEqual(["meanwhile"]);
  }
});

test("the log has a line when a connection begins and one when it ends, and no token", async () => {
  const lines: unknown[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const { open } = await startWorld({ logger: createLogger({ level: "info", destination }) });
  const feed = await open();
  await feed.upToDate();
  const begun = { method: "GET", path: "/revocations", status: 200, msg: "request" };
  expect(lines).toContainEqual(expect.objectContaining(begun));
  feed.close();
  const over = { clientId: ordersService.id, reason: "gone", msg: "a service no longer reads the revocation feed" };
  await expect.poll(() => lines, WITHIN).toContainEqual(expect.objectContaining(over));
  expect(JSON.stringify(lines)).not.toContain("eyJ");
});
