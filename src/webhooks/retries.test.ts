import type { ServerResponse } from "node:http";
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { LIFETIME_SECONDS } from "./follower.ts";
import { LEASE_MS, PAUSES_SECONDS, PLACES_PER_WEBHOOK } from "./webhook-worker.ts";
import { accountsOf, begins, eventually, openWebhookScene } from "../../test/support/webhook-scene.ts";

const {
  clock,
  settled,
  openWebhooks,
  happen,
  behindCount,
  createNode,
  startEndpoint,
  lastEvents,
  database,
  passSeconds,
  endpointOf,
  backlog,
} = openWebhookScene();

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
    // The two are sent at once, and either may be first.
    await eventually(() => accountsOf(receiver)).toContain("bob");
    await eventually(() => settled.map(({ result }) => result)).toContain("expired");
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

test("what a node held that died is sent by another once its lease is over, under the same id", async () => {
  const receiver = await startEndpoint("siem", ["session_started"]);
  await happen(begins("alice"));
  const dead = createNode();
  await dead.seal();
  await eventually(backlog).toBe(1);
  await sql`update webhook_outbox set tries = 1, due_at = ${new Date(clock.now + LEASE_MS)}::timestamptz`.execute(
    database().db,
  );
  const heir = createNode();
  passSeconds(LEASE_MS / 1_000 - 1);
  heir.worker.wake();
  passSeconds(1);
  expect(receiver.requests()).toBe(0);
  heir.worker.wake();
  await eventually(() => settled).toMatchObject([{ result: "sent", tries: 2 }]);
});
