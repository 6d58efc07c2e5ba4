import type { ServerResponse } from "node:http";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type AuditEvent, createAudit } from "../audit/index.ts";
import { createSealer, type Sealer } from "../core/index.ts";
import { createAddressPolicy, createOutbound } from "../outbound/index.ts";
import type { Database } from "../storage/index.ts";
import { openTestChain } from "../../test/support/audit-chain.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../../test/support/webhook-receiver.ts";
import {
  createWebhookFollower,
  createWebhooks,
  createWebhookWorker,
  type Webhooks,
  type WebhookSettled,
} from "./index.ts";
import { LIFETIME_SECONDS } from "./follower.ts";
import { LEASE_MS, PAUSES_SECONDS, PLACES_PER_WEBHOOK } from "./webhook-worker.ts";
import { WEBHOOKS_MAX } from "./webhooks.ts";

/** What becomes so in its own time, on a busy machine too. */
function eventually<Value>(look: () => Value) {
  return expect.poll(look, { timeout: 10_000, interval: 10 });
}

const SECRETS = ["a secret of 32 bytes or more 0123456789"];
const clock = { now: Date.now(), nowMs: () => clock.now };
const passSeconds = (seconds: number): void => void (clock.now += seconds * 1_000);
const addresses = createAddressPolicy(["127.0.0.1"]);
const outbound = createOutbound({ policy: addresses });

let database: Database;
let settled: WebhookSettled[] = [];
const observer = { settled: (webhook: WebhookSettled) => void settled.push(webhook) };
const report = vi.fn<(error: unknown) => void>();

beforeAll(async () => {
  database = await openTestEmbedded();
}, 60_000);
afterAll(() => database.close());
beforeEach(async () => {
  settled = [];
  report.mockReset();
  await sql`delete from webhooks`.execute(database.db);
});

const partsOf = (sealer: Sealer = createSealer(SECRETS)) => {
  const { db } = database;
  const chain = openTestChain(db, clock);
  const audit = createAudit({ db, clock });
  return { db, clock, audit, chain, sealer, addresses, outbound, observer, report };
};

const openWebhooks = (sealer?: Sealer): Webhooks => createWebhooks(partsOf(sealer));

async function happen(...events: readonly AuditEvent[]): Promise<void> {
  const { audit, db } = partsOf();
  for (const event of events) await audit.append(db, event);
}

const begins = (accountId: string): AuditEvent => ({ type: "session_started", accountId, address: "192.0.2.7" });

/** A node's follower and worker, which are never started: they look when they are told to. */
function createNode(limits: { readonly waitingMax?: number } = {}) {
  const parts = { ...partsOf(), ...limits };
  const worker = createWebhookWorker(parts);
  const follower = createWebhookFollower(parts);
  onTestFinished(async () => {
    await follower.close();
    await worker.close();
  });
  return {
    worker,
    follower,
    /** Seals what happened, puts it into the outbox, and sends it. */
    async pass() {
      await parts.chain.sealWaiting();
      follower.wake();
      await eventually(behindCount).toBe(0);
      worker.wake();
    },
    async seal() {
      await parts.chain.sealWaiting();
      follower.wake();
    },
  };
}

/** Of enabled endpoints, those that have yet to be told of what is sealed. */
async function behindCount(): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from webhooks, audit_chain
     where disabled_at is null and webhooks.position < audit_chain.position`.execute(database.db);
  return rows[0]?.count ?? 0;
}

async function startEndpoint(id = "siem", kinds?: readonly string[]): Promise<WebhookReceiver> {
  const receiver = await startWebhookReceiver(clock.nowMs);
  await partsOf().chain.sealWaiting();
  receiver.secret = (await openWebhooks().add({ id, url: receiver.url, kinds })).secret;
  return receiver;
}

const endpointOf = async (id: string) => (await openWebhooks().list()).find((one) => one.id === id);
const accountsOf = ({ received }: WebhookReceiver) => received.map(({ data }) => String(data["accountId"]));
const backlog = async () => (await openWebhooks().readBacklog()).waiting;
const lastEvents = async (count: number) => {
  const events = await partsOf().audit.list({ limit: count });
  return events.toReversed().map(({ type, data }) => ({ type, data }));
};

describe("an endpoint", () => {
  test("is told of what happens from then on, signed as Standard Webhooks asks, each once", async () => {
    await happen(begins("before"));
    const receiver = await startEndpoint();
    await happen(begins("alice"), { type: "sign_in_failed", accountId: "bob", data: { reason: "wrong_password" } });
    await createNode().pass();
    await eventually(() => receiver.received.length).toBe(3);
    const [added, ...rest] = receiver.received.toSorted(
      (one, other) => Number(one.data["id"]) - Number(other.data["id"]),
    );
    expect(added).toMatchObject({ type: "webhook_added", data: { data: { webhook: "siem" } } });
    expect(rest).toMatchObject([
      {
        type: "session_started",
        timestamp: new Date(clock.now).toISOString(),
        timestampSeconds: Math.floor(clock.now / 1_000),
        data: {
          schema: "latchkey.audit.v1",
          type: "session_started",
          category: "session",
          accountId: "alice",
          address: "192.0.2.7",
          outcome: "succeeded",
          data: {},
        },
      },
      { type: "sign_in_failed", data: { accountId: "bob", data: { reason: "wrong_password" } } },
    ]);
    for (const { id, data } of rest) expect(id).toBe(`event_${String(data["id"])}`);
    await eventually(backlog).toBe(0);
    expect(receiver.faults).toEqual([]);
    expect(await endpointOf("siem")).toMatchObject({ lastSuccessAt: new Date(clock.now), disabledAt: undefined });
  });

  test("that wants some kinds is told of those, and two endpoints have the same id for an event", async () => {
    const some = await startEndpoint("some", ["session_started"]);
    const all = await startEndpoint("all");
    await happen(begins("alice"), { type: "sign_in_failed", accountId: "bob" });
    await createNode().pass();
    await eventually(() => some.received.length).toBe(1);
    await eventually(() =>
      accountsOf(all)
        .filter((id) => id !== "undefined")
        .toSorted(),
    ).toEqual(["alice", "bob"]);
    expect(some.received[0]?.id).toBe(all.received.find(({ type }) => type === "session_started")?.id);
  });

  test.each([
    ["an address inside", { url: "https://169.254.169.254/" }, /leads inside/],
    ["plain http", { url: "http://siem.example.com/" }, /is not https/],
    ["a password in the URL", { url: "https://user:pass@siem.example.com/" }, /password/],
    ["an id with a slash", { id: "a/b" }, /its id is not/],
    ["an event that there is not", { kinds: ["sesion_started"] }, /no event "sesion_started"/],
    ["no event at all", { kinds: [] }, /wants no event/],
  ])("with %s is refused [ASVS 15.3.2]", async (_, change, detail) => {
    const webhook = { id: "siem", url: "https://siem.example.com/", ...change };
    await expect(openWebhooks().add(webhook)).rejects.toMatchObject({
      code: "WEBHOOK_INVALID",
      detail: expect.stringMatching(detail),
    });
  });

  test("of a taken id is refused, and so is one more than there may be", async () => {
    const webhooks = openWebhooks();
    const url = "https://siem.example.com/";
    for (let at = 0; at < WEBHOOKS_MAX - 1; at += 1) await webhooks.add({ id: `siem-${at}`, url });
    await expect(webhooks.add({ id: "siem-0", url })).rejects.toMatchObject({ code: "WEBHOOK_EXISTS" });
    await webhooks.add({ id: "last", url });
    await expect(webhooks.add({ id: "one-more", url })).rejects.toMatchObject({ code: "WEBHOOK_LIMIT_REACHED" });
  });

  test.each(["remove", "enable", "disable", "test"] as const)(
    "of which nobody knows is refused by %s",
    async (command) => {
      await expect(openWebhooks()[command]("nobody")).rejects.toMatchObject({ code: "WEBHOOK_NOT_FOUND" });
    },
  );

  test("that leads inside by its name is never connected to, and is tried again", async () => {
    const receiver = await startWebhookReceiver(clock.nowMs);
    const { port } = new URL(receiver.url);
    const inside = { ...partsOf(), outbound: createOutbound({ policy: createAddressPolicy([]), resolve: LOOPBACK }) };
    await inside.chain.sealWaiting();
    await createWebhooks({ ...inside, addresses: createAddressPolicy([]) }).add({
      id: "siem",
      url: `https://siem.example.com:${port}/`,
    });
    await inside.chain.sealWaiting();
    createWebhookFollower(inside).wake();
    await eventually(backlog).toBe(1);
    const worker = createWebhookWorker(inside);
    onTestFinished(() => worker.close());
    worker.wake();
    await eventually(() => settled).toMatchObject([{ result: "retried", reason: "refused_address" }]);
    expect(receiver.requests()).toBe(0);
  });
});

const LOOPBACK = async () => [{ address: "127.0.0.1", family: 4 as const }];

describe("the secret", () => {
  test("is shown once and lies sealed, for its endpoint alone [ASVS 14.2.4]", async () => {
    const { secret } = await openWebhooks().add({ id: "siem", url: "https://siem.example.com/" });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const { rows } = await sql<{ sealed_secrets: Uint8Array }>`select * from webhooks`.execute(database.db);
    const lies = Buffer.from(rows[0]?.sealed_secrets ?? []).toString("latin1");
    expect(lies).not.toContain(secret.slice("whsec_".length));
    expect(JSON.stringify(await openWebhooks().list())).not.toContain(secret.slice("whsec_".length));
  });

  test("that is new signs beside the old one for as long as was said, and then alone", async () => {
    const receiver = await startEndpoint();
    const old = receiver.secret;
    const { secret } = await openWebhooks().rotate("siem", 60);
    const node = createNode();
    await node.pass();
    await eventually(() => receiver.received.length).toBe(2);
    expect(receiver.received.every(({ signatures }) => signatures === 2)).toBe(true);
    receiver.secret = secret;
    await happen(begins("alice"));
    await node.pass();
    await eventually(() => receiver.received.length).toBe(3);
    passSeconds(60);
    await happen(begins("bob"));
    await node.pass();
    await eventually(() => receiver.received.at(-1)).toMatchObject({ signatures: 1, data: { accountId: "bob" } });
    receiver.secret = old;
    await happen(begins("carol"));
    await node.pass();
    await eventually(() => receiver.faults.length).toBe(1);
  });

  test.each([-1, 1.5, 90 * 24 * 60 * 60 + 1])("that is old is not kept for %d seconds", async (seconds) => {
    await openWebhooks().add({ id: "siem", url: "https://siem.example.com/" });
    await expect(openWebhooks().rotate("siem", seconds)).rejects.toMatchObject({ code: "WEBHOOK_INVALID" });
  });

  test("is sealed anew under a new LATCHKEY_SECRET, and signs as before", async () => {
    const receiver = await startEndpoint();
    const newest = "another secret of 32 bytes or more 01234";
    expect(await openWebhooks(createSealer([newest, ...SECRETS])).reseal()).toBe(1);
    const renewed = openWebhooks(createSealer([newest]));
    expect(await renewed.reseal()).toBe(0);
    expect(await renewed.test("siem")).toEqual({ type: "answered", status: 204 });
    expect(receiver.received).toMatchObject([{ type: "webhook_test", id: expect.stringMatching(/^test_/), data: {} }]);
    await expect(openWebhooks().test("siem")).rejects.toMatchObject({ code: "SECRET_UNKNOWN" });
  });
});

describe("what is not taken", () => {
  test("is tried again after 5 s, 30 s, 2 min …, under the same id and signed anew, until it is", async () => {
    const receiver = await startEndpoint("siem", ["session_started"]);
    const answers = [500, 302, 429];
    receiver.answer = () => answers.shift() ?? 200;
    await happen(begins("alice"));
    const node = createNode();
    await node.pass();
    for (const [position, pause] of PAUSES_SECONDS.slice(0, 3).entries()) {
      await eventually(() => settled.length).toBe(position + 1);
      passSeconds(pause - 1);
      node.worker.wake();
      passSeconds(1);
      node.worker.wake();
    }
    await eventually(() => settled.map(({ result, reason }) => reason ?? result)).toEqual([
      "status_500",
      "status_302",
      "status_429",
      "sent",
    ]);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
    expect(new Set(receiver.received.map(({ timestampSeconds }) => timestampSeconds)).size).toBe(4);
    expect(receiver.faults).toEqual([]);
  });

  test("for three days disables the endpoint, and enabling it goes on with what it was not told", async () => {
    const receiver = await startEndpoint("siem", ["session_started"]);
    receiver.answer = () => 500;
    await happen(begins("alice"), begins("bob"));
    const node = createNode();
    await node.pass();
    await eventually(() => settled.length).toBe(2);
    passSeconds(LIFETIME_SECONDS);
    await openWebhooks().sweep();
    expect(await endpointOf("siem")).toMatchObject({ disabledReason: "failing", waiting: 0 });
    expect(await lastEvents(1)).toEqual([{ type: "webhook_disabled", data: { webhook: "siem", reason: "failing" } }]);
    await happen(begins("carol"));
    await node.seal();
    receiver.answer = () => 200;
    await openWebhooks().enable("siem");
    await node.pass();
    await eventually(() => accountsOf(receiver).slice(2).toSorted()).toEqual(["alice", "bob", "carol"]);
    expect((await lastEvents(1))[0]?.type).toBe("webhook_enabled");
  });

  test("while others are is given up with a trace, of which the endpoint itself is not told", async () => {
    const receiver = await startEndpoint();
    receiver.answer = ({ data }) => (data["accountId"] === "alice" ? 422 : 200);
    await happen(begins("alice"));
    const node = createNode();
    await node.pass();
    await eventually(() => settled.length).toBe(2);
    passSeconds(LIFETIME_SECONDS - 1);
    await happen(begins("bob"));
    await node.pass();
    await eventually(() => accountsOf(receiver).at(-1)).toBe("bob");
    await eventually(() => settled.at(-1)?.result).toBe("expired");
    expect(await endpointOf("siem")).toMatchObject({ disabledAt: undefined });
    const [event] = await lastEvents(1);
    expect(event).toMatchObject({
      type: "webhook_given_up",
      data: { webhook: "siem", reason: "status_422", tries: 2 },
    });
    const count = receiver.requests();
    await node.pass();
    await node.worker.close();
    expect({ requests: receiver.requests(), waiting: await backlog() }).toEqual({ requests: count, waiting: 0 });
  });

  test("because the endpoint is gone (410) ends it at once, for all that waits", async () => {
    const receiver = await startEndpoint("siem", ["session_started"]);
    receiver.answer = () => 410;
    await happen(...Array.from({ length: 2 * PLACES_PER_WEBHOOK }, (_, at) => begins(`person-${at}`)));
    const node = createNode();
    await node.pass();
    await eventually(async () => (await endpointOf("siem"))?.disabledReason).toBe("gone");
    await node.worker.close();
    expect(await backlog()).toBe(0);
    expect(receiver.requests()).toBeLessThanOrEqual(PLACES_PER_WEBHOOK);
    receiver.answer = () => 200;
    const before = receiver.received.length;
    await openWebhooks().enable("siem");
    await createNode().pass();
    await eventually(() => new Set(accountsOf(receiver).slice(before)).size).toBe(2 * PLACES_PER_WEBHOOK);
  });

  test("by one that hangs holds up no other endpoint", async () => {
    const slow = await startEndpoint("slow", ["session_started"]);
    const quick = await startEndpoint("quick", ["session_started"]);
    const held: ServerResponse[] = [];
    slow.answer = () => (response) => void held.push(response);
    const people = Array.from({ length: 3 * PLACES_PER_WEBHOOK }, (_, at) => `person-${at}`);
    await happen(...people.map(begins));
    const node = createNode();
    await node.pass();
    await eventually(() => accountsOf(quick).toSorted()).toEqual(people.toSorted());
    expect(slow.requests()).toBe(PLACES_PER_WEBHOOK);
    slow.answer = () => 200;
    for (const response of held) response.writeHead(200).end();
  });

  test("waits in the log when too much waits in the outbox", async () => {
    const receiver = await startEndpoint("siem", ["session_started"]);
    await happen(begins("alice"), begins("bob"));
    const node = createNode({ waitingMax: 2 });
    await node.seal();
    await eventually(backlog).toBe(2);
    await happen(begins("carol"));
    await node.seal();
    await node.follower.close();
    expect([await backlog(), await behindCount()]).toEqual([2, 1]);
    node.worker.wake();
    await eventually(backlog).toBe(0);
    await createNode({ waitingMax: 2 }).pass();
    await eventually(() => accountsOf(receiver).toSorted()).toEqual(["alice", "bob", "carol"]);
  });
});

describe("an operator", () => {
  test("who disables an endpoint and enables it again loses nothing of what happened meanwhile", async () => {
    const receiver = await startEndpoint("siem", ["session_started"]);
    await happen(begins("alice"));
    const node = createNode();
    await openWebhooks().disable("siem");
    await node.seal();
    await openWebhooks().disable("siem");
    expect(await endpointOf("siem")).toMatchObject({ disabledReason: "operator" });
    await openWebhooks().enable("siem");
    await openWebhooks().enable("siem");
    await node.pass();
    await eventually(() => accountsOf(receiver)).toEqual(["alice"]);
    const types = (await lastEvents(2)).map(({ type }) => type);
    expect(types).toEqual(["webhook_disabled", "webhook_enabled"]);
  });

  test("who removes an endpoint takes along what it was to be told", async () => {
    const receiver = await startEndpoint();
    const node = createNode();
    await node.seal();
    await eventually(backlog).toBe(1);
    await openWebhooks().remove("siem");
    expect(await backlog()).toBe(0);
    await node.pass();
    await node.worker.close();
    expect(receiver.requests()).toBe(0);
    expect((await lastEvents(1))[0]).toEqual({ type: "webhook_removed", data: { webhook: "siem" } });
  });
});

test("what a node held that died is sent by another once its lease is over, under the same id", async () => {
  const receiver = await startEndpoint("siem", ["session_started"]);
  await happen(begins("alice"));
  const dead = createNode();
  await dead.seal();
  await eventually(backlog).toBe(1);
  await sql`update webhook_outbox set tries = 1, due_at = ${new Date(clock.now + LEASE_MS)}::timestamptz`.execute(
    database.db,
  );
  const heir = createNode();
  passSeconds(LEASE_MS / 1_000 - 1);
  heir.worker.wake();
  passSeconds(1);
  expect(receiver.requests()).toBe(0);
  heir.worker.wake();
  await eventually(() => settled).toMatchObject([{ result: "sent", tries: 2 }]);
});
