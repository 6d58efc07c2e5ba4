import { sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { createSealer } from "../core/index.ts";
import { createAddressPolicy, createOutbound } from "../outbound/index.ts";
import { startWebhookReceiver } from "../../test/support/webhook-receiver.ts";
import { createWebhookFollower, createWebhooks, createWebhookWorker } from "./index.ts";
import { accountsOf, begins, eventually, openWebhookScene, SECRETS } from "../../test/support/webhook-scene.ts";
import { WEBHOOKS_MAX } from "./webhooks.ts";

const {
  clock,
  settled,
  openWebhooks,
  happen,
  createNode,
  startEndpoint,
  lastEvents,
  database,
  passSeconds,
  endpointOf,
  backlog,
  partsOf,
} = openWebhookScene();

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
    const { rows } = await sql<{ sealed_secrets: Uint8Array }>`select * from webhooks`.execute(database().db);
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
