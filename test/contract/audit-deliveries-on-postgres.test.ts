import { sql } from "kysely";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createAudit, SEALED_CHANNEL } from "../../src/audit/index.ts";
import { createAuditLogWriter } from "../../src/audit-log/index.ts";
import { createSealer, systemClock as clock } from "../../src/core/index.ts";
import { createAddressPolicy, createOutbound } from "../../src/outbound/index.ts";
import { type Database, openPostgres } from "../../src/storage/index.ts";
import {
  createWebhookFollower,
  createWebhooks,
  createWebhookWorker,
  WEBHOOK_CHANNEL,
} from "../../src/webhooks/index.ts";
import { openTestChain } from "../support/audit-chain.ts";
import { createTableDatabase, type TestStore } from "../support/stores.ts";
import { startWebhookReceiver } from "../support/webhook-receiver.ts";

/** What becomes so in its own time, on a busy machine too. */
function eventually<Value>(look: () => Value) {
  return expect.poll(look, { timeout: 20_000, interval: 10 });
}

const NODES = 3;
const EVENTS = 120;
const addresses = createAddressPolicy(["127.0.0.1"]);
const outbound = createOutbound({ policy: addresses });
const observer = { settled: () => undefined };
const sealer = createSealer(["a secret of 32 bytes or more 0123456789"]);

let store: TestStore;
let database: Database;
const openDatabase = (): Database => openPostgres({ url: store.url, poolMax: 4, onConnectionError: () => undefined });

beforeAll(async () => {
  store = await createTableDatabase();
  database = openDatabase();
});
afterAll(async () => {
  await database.close();
  await store.drop();
});

/** All that passes events on, over connections of its own, woken by the database alone. */
function startNode({ lines, reported }: { readonly lines: string[]; readonly reported: string[] }): Database {
  const own = openDatabase();
  const { db } = own;
  const chain = openTestChain(db, clock);
  const report = (error: unknown): void => void reported.push(String(error));
  const audit = createAudit({ db, clock });
  const worker = createWebhookWorker({ db, clock, audit, chain, sealer, outbound, observer, report });
  const follower = createWebhookFollower({ db, clock, chain, report });
  const sink = {
    write: async (some: readonly string[]) => void lines.push(...some),
    close: async () => undefined,
  };
  const writer = createAuditLogWriter({ db, clock, chain, sink, report });
  const listeners = [
    own.listen(SEALED_CHANNEL, () => follower.wake()),
    own.listen(SEALED_CHANNEL, () => writer.wake()),
    own.listen(WEBHOOK_CHANNEL, () => worker.wake()),
  ];
  for (const part of [follower, worker, writer]) part.start();
  onTestFinished(async () => {
    for (const listener of listeners) await listener.close();
    for (const part of [follower, worker, writer]) await part.close();
    await own.close();
  });
  return own;
}

const accountOf = (event: unknown): string => String((event as { readonly accountId?: string }).accountId);

test("of several nodes that seal, follow and write at once, each event is told once and written once, in its order", async () => {
  const { db } = database;
  const audit = createAudit({ db, clock });
  const receiver = await startWebhookReceiver();
  const chainHere = openTestChain(db, clock);
  const webhooks = createWebhooks({ db, clock, audit, chain: chainHere, sealer, addresses, outbound, observer });
  receiver.secret = (await webhooks.add({ id: "siem", url: receiver.url, kinds: ["session_started"] })).secret;
  const lines: string[] = [];
  const reported: string[] = [];
  const nodes = Array.from({ length: NODES }, () => startNode({ lines, reported }));
  const chains = nodes.map((node) => openTestChain(node.db, clock));
  for (let count = 0; count < EVENTS; count += 1) {
    await audit.append(db, { type: "session_started", accountId: `person-${count}` });
    if (count % 10 === 0) await Promise.all(chains.map((chain) => chain.sealWaiting()));
  }
  for (const chain of chains) await chain.sealWaiting();

  const expected = Array.from({ length: EVENTS }, (_, count) => `person-${count}`);
  await eventually(() => receiver.received.length).toBe(EVENTS);
  expect(receiver.received.map(({ data }) => accountOf(data)).toSorted()).toEqual(expected.toSorted());
  expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(EVENTS);
  expect(receiver.faults).toEqual([]);
  const written = () => lines.map((line) => accountOf(JSON.parse(line))).filter((id) => id.startsWith("person"));
  await eventually(() => written().length).toBe(EVENTS);
  expect(written()).toEqual(expected);
  expect(reported).toEqual([]);
  await eventually(async () => (await webhooks.readBacklog()).waiting).toBe(0);
  const { rows } = await sql`select * from webhook_outbox`.execute(db);
  expect(rows).toEqual([]);
});
