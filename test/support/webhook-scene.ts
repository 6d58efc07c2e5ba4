import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, vi } from "vitest";
import { type AuditChain, type AuditEvent, createAudit } from "../../src/audit/index.ts";
import { createSealer, type Sealer } from "../../src/core/index.ts";
import { createAddressPolicy, createOutbound } from "../../src/outbound/index.ts";
import type { Database, Db } from "../../src/storage/index.ts";
import { openTestChain } from "./audit-chain.ts";
import { openTestEmbedded } from "./stores.ts";
import { startWebhookReceiver, type WebhookReceiver } from "./webhook-receiver.ts";
import {
  createWebhookFollower,
  createWebhooks,
  createWebhookWorker,
  type Webhooks,
  type WebhookSettled,
} from "../../src/webhooks/index.ts";

export const SECRETS = ["a secret of 32 bytes or more 0123456789"];

/** What becomes so in its own time, on a busy machine too. */
export function eventually<Value>(look: () => Value) {
  return expect.poll(look, { timeout: 10_000, interval: 10 });
}

export const begins = (accountId: string): AuditEvent => ({
  type: "session_started",
  accountId,
  address: "192.0.2.7",
});

export const accountsOf = ({ received }: WebhookReceiver) => received.map(({ data }) => String(data["accountId"]));

/** Of enabled endpoints, those that have yet to be told of what is sealed. */
async function countBehind(db: Db): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from webhooks, audit_chain
     where disabled_at is null and webhooks.position < audit_chain.position`.execute(db);
  return rows[0]?.count ?? 0;
}

type NodeParts = Parameters<typeof createWebhookFollower>[0] &
  Parameters<typeof createWebhookWorker>[0] & { readonly chain: AuditChain };

/** A node's follower and worker, which are never started: they look when they are told to. */
function createTestNode(parts: NodeParts) {
  const worker = createWebhookWorker(parts);
  const follower = createWebhookFollower(parts);
  onTestFinished(async () => {
    await follower.close();
    await worker.close();
  });
  async function seal(): Promise<void> {
    await parts.chain.sealWaiting();
    follower.wake();
  }
  /** Seals what happened, puts it into the outbox, and sends it. */
  async function pass(): Promise<void> {
    await seal();
    await eventually(() => countBehind(parts.db)).toBe(0);
    worker.wake();
  }
  return { worker, follower, seal, pass };
}

/** An audit log, webhooks, and nodes that send: for all tests of a file, with no webhook at the start of each. */
export function openWebhookScene() {
  const clock = { now: Date.now(), nowMs: () => clock.now };
  const addresses = createAddressPolicy(["127.0.0.1"]);
  const outbound = createOutbound({ policy: addresses });
  /** What became of each try. */
  const settled: WebhookSettled[] = [];
  const observer = { settled: (webhook: WebhookSettled) => void settled.push(webhook) };
  const report = vi.fn<(error: unknown) => void>();
  let database: Database;

  beforeAll(async () => {
    database = await openTestEmbedded();
  }, 60_000);
  afterAll(() => database.close());
  beforeEach(async () => {
    settled.length = 0;
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

  const behindCount = () => countBehind(database.db);
  const createNode = (limits: { readonly waitingMax?: number } = {}) => createTestNode({ ...partsOf(), ...limits });

  async function startEndpoint(id = "siem", kinds?: readonly string[]): Promise<WebhookReceiver> {
    const receiver = await startWebhookReceiver(clock.nowMs);
    await partsOf().chain.sealWaiting();
    receiver.secret = (await openWebhooks().add({ id, url: receiver.url, kinds })).secret;
    return receiver;
  }

  async function lastEvents(count: number) {
    const events = await partsOf().audit.list({ limit: count });
    return events.toReversed().map(({ type, data }) => ({ type, data }));
  }

  return {
    clock,
    settled,
    partsOf,
    openWebhooks,
    happen,
    behindCount,
    createNode,
    startEndpoint,
    lastEvents,
    database: () => database,
    passSeconds: (seconds: number): void => void (clock.now += seconds * 1_000),
    endpointOf: async (id: string) => (await openWebhooks().list()).find((one) => one.id === id),
    backlog: async () => (await openWebhooks().readBacklog()).waiting,
  };
}
