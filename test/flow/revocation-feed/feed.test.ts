import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ordersApi } from "../../support/cast.ts";
import { ledgerApi } from "../../support/apps.ts";
import { type FeedClient, type FeedRequest, openFeed } from "../../support/feed-client.ts";
import { populate, startLatchkey, type TestLatchkey } from "../../support/latchkey.ts";
import { askNode } from "../../support/raw-http.ts";
import { type Caller, ledgerService, ordersService, post, startSecondNode } from "../../support/services.ts";

const ORDERS = ordersApi.identifier;
const LEDGER = ledgerApi.identifier;
const BOTH = { ...ordersService, id: "bothServices", introspects: [ORDERS, LEDGER] };
const DOOMED = { ...ordersService, id: "doomedService" };
const SERVICES = [ordersService, ledgerService, BOTH, DOOMED];
const WITHIN = { timeout: 5_000, interval: 5 };

let serial = 0;
const newName = (): string => `session-${(serial += 1)}`;

describe.each(["redis", "postgres"] as const)("the revocation feed over two nodes (%s)", (stores) => {
  let near: TestLatchkey;
  let far: TestLatchkey;
  let secrets: ReadonlyMap<string, string>;
  beforeAll(async () => {
    near = await startLatchkey({ stores });
    far = await startSecondNode(near);
    secrets = await populate(near, { resourceServers: [ordersApi, ledgerApi], clients: SERVICES });
  });
  afterAll(async () => {
    await far.close();
    await near.close();
  });

  const callerOf = (id: string): Caller => ({ id, secret: secrets.get(id) });

  async function tokenOf(id: string = ordersService.id): Promise<string> {
    const parameters = { grant_type: "client_credentials", scope: "revocations" };
    const { body } = await post(near, "/token", { caller: callerOf(id), parameters });
    return (body as { readonly access_token: string }).access_token;
  }

  async function open(node: TestLatchkey, options: Partial<FeedRequest> = {}): Promise<FeedClient> {
    const feed = await openFeed(node, { token: await tokenOf(), ...options });
    onTestFinished(() => feed.close());
    return feed;
  }

  /** Ends a session that nobody had; returns its name. */
  async function endSession(node: TestLatchkey, audiences: readonly string[] | "all" = "all"): Promise<string> {
    const sessionId = newName();
    await node.revocations.record([{ kind: "session", sessionId, audiences }]);
    return sessionId;
  }

  test("begins with a reset, all that is living, and a heartbeat with the last id", async () => {
    const [first, second] = [await endSession(near), await endSession(far)];
    const feed = await open(near);
    expect(feed.status).toBe(200);
    expect(feed.headers["content-type"]).toBe("text/event-stream");
    expect(feed.headers["cache-control"]).toBe("no-store");
    expect(feed.headers["x-accel-buffering"]).toBe("no");
    await feed.upToDate();
    expect(feed.events[0]).toEqual({ event: "reset", id: undefined, data: {} });
    const revocations = feed.events.filter(({ event }) => event === "revocation");
    const ids = revocations.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.toSorted((left, right) => left - right));
    expect(feed.values()).toEqual(expect.arrayContaining([first, second]));
    expect(revocations.at(-1)?.data).toEqual({ kind: "session", value: second, expiresAt: expect.any(Number) });
    expect(feed.events.at(-1)).toEqual({
      event: "heartbeat",
      id: revocations.at(-1)?.id,
      data: { sentAt: expect.any(Number) },
    });
  });

  test("tells at once what ends at either node, in one order and under one id", async () => {
    const feeds = [await open(near), await open(far)];
    for (const feed of feeds) await feed.upToDate();
    const ended: string[] = [];
    for (const node of [near, far, far, near]) ended.push(await endSession(node));
    for (const feed of feeds) await expect.poll(() => feed.values().slice(-4), WITHIN).toEqual(ended);
    const [here, there] = feeds.map(({ events }) => events.filter(({ event }) => event === "revocation").slice(-4));
    expect(here).toEqual(there);
  });

  test("says every second that it is up to date, with the last id, whomever that concerned", async () => {
    const feed = await open(near);
    await feed.upToDate();
    await endSession(far, [LEDGER]);
    const other = await open(far);
    await other.upToDate();
    const count = feed.events.length;
    await expect.poll(() => feed.events.length - count, WITHIN).toBeGreaterThanOrEqual(2);
    expect(feed.events.at(-1)).toEqual({
      event: "heartbeat",
      id: other.lastId(),
      data: { sentAt: expect.any(Number) },
    });
  });

  describe("resuming", () => {
    test("goes on at the other node with what was missed and nothing else", async () => {
      const before = await open(near);
      await endSession(near);
      await before.upToDate();
      const seen = await endSession(near);
      await expect.poll(() => before.values().at(-1), WITHIN).toBe(seen);
      const lastEventId = before.lastId();
      before.close();
      const missed = [await endSession(near), await endSession(far)];
      const after = await open(far, { lastEventId });
      await after.upToDate();
      expect(after.events.map(({ event }) => event)).toEqual(["revocation", "revocation", "heartbeat"]);
      expect(after.values()).toEqual(missed);
    });

    test("goes on in the middle of the set where it was cut", async () => {
      for (let count = 0; count < 5; count += 1) await endSession(near);
      const whole = await open(near);
      await whole.upToDate();
      const ids = whole.events.flatMap(({ event, id }) => (event === "revocation" ? [id] : []));
      const rest = await open(far, { lastEventId: ids.at(-4) });
      await rest.upToDate();
      expect(rest.events.slice(0, -1).map(({ id }) => id)).toEqual(ids.slice(-3));
    });

    test.each(["999999999999", "-1", "1e3", "x", "12345678901234567890"])(
      "begins anew after %j, which this table has not had",
      async (lastEventId) => {
        const feed = await open(near, { lastEventId });
        await feed.upToDate();
        expect(feed.events[0]?.event).toBe("reset");
      },
    );
  });

  describe("audiences", () => {
    test("a service is told of what concerns its own, and of what concerns everybody", async () => {
      const feed = await open(far);
      await feed.upToDate();
      const [own, both] = [await endSession(near, [ORDERS]), await endSession(near, [LEDGER, ORDERS])];
      const foreign = [await endSession(near, [LEDGER]), await endSession(near, [])];
      const all = await endSession(near);
      await expect.poll(() => feed.values().slice(-3), WITHIN).toEqual([own, both, all]);
      const fresh = await open(near);
      await fresh.upToDate();
      for (const values of [feed.values(), fresh.values()]) {
        expect(values).toEqual(expect.arrayContaining([own, both, all]));
        for (const value of foreign) expect(values).not.toContain(value);
      }
    });

    test("one of several is chosen by name", async () => {
      const token = await tokenOf(BOTH.id);
      const [orders, ledger] = [await endSession(near, [ORDERS]), await endSession(near, [LEDGER])];
      const whole = await open(near, { token });
      const narrow = await open(near, { token, query: `?audience=${encodeURIComponent(LEDGER)}` });
      await whole.upToDate();
      await narrow.upToDate();
      expect(whole.values()).toEqual(expect.arrayContaining([orders, ledger]));
      expect(narrow.values()).toContain(ledger);
      expect(narrow.values()).not.toContain(orders);
    });

    test("another's is refused", async () => {
      const feed = await open(near, { query: `?audience=${encodeURIComponent(LEDGER)}` });
      expect(feed.status).toBe(403);
      expect(feed.headers["www-authenticate"]).toContain('error="insufficient_scope"');
    });
  });

  describe("who may not read", () => {
    const ask = (headers: Readonly<Record<string, string>>, method = "GET") =>
      askNode(`${near.issuer}/revocations`, { method, headers: { accept: "text/event-stream", ...headers } });

    test("is a stranger, who is told what to bring and not what is wrong [RFC 6750 3.1]", async () => {
      const answer = await ask({});
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toBe('Bearer scope="revocations"');
      expect(JSON.parse(answer.body)).toMatchObject({ error: "invalid_token" });
    });

    test("is somebody with a token that is none", async () => {
      const answer = await ask({ authorization: "Bearer forged" });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer error="invalid_token", error_description="/);
      expect(answer.headers.get("cache-control")).toBe("no-store");
    });

    test.each(["POST", "HEAD", "PUT", "DELETE"])("is whoever asks with %s", async (method) => {
      const answer = await ask({ authorization: `Bearer ${await tokenOf()}` }, method);
      expect([404, 405, 501]).toContain(answer.status);
    });
  });

  test("ends when the client's tokens are revoked, and tells the others why", async () => {
    const watching = await open(far, { token: await tokenOf(ledgerService.id) });
    await watching.upToDate();
    const feed = await open(near, { token: await tokenOf(DOOMED.id) });
    await feed.upToDate();
    await far.revocations.record([{ kind: "client", clientId: DOOMED.id }]);
    expect(await feed.ended).toBe("whole");
    expect(feed.events.at(-1)?.data).toMatchObject({ kind: "client", value: DOOMED.id });
    await expect.poll(() => watching.values().at(-1), WITHIN).toBe(DOOMED.id);
    expect((await open(near, { token: await tokenOf(DOOMED.id) })).status).toBe(401);
  });
});
