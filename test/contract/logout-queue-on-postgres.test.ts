import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { createAudit } from "../../src/audit/index.ts";
import { systemClock } from "../../src/core/index.ts";
import { createLogoutQueue, createLogoutWorker, type LogoutWorker } from "../../src/sessions/index.ts";
import { type Database, openPostgres } from "../../src/storage/index.ts";
import { createTableDatabase, type TestStore } from "../support/stores.ts";

/** What becomes so in its own time, on a busy machine too. */
function eventually<Value>(look: () => Value) {
  return expect.poll(look, { timeout: 10_000, interval: 10 });
}

const NODES = 4;
const HOSTS = 20;
const SESSIONS = 40;

let store: TestStore;
let database: Database;
const uriOf = (clientId: string): string => `https://${clientId}.example.com/out`;
const clientIds = Array.from({ length: HOSTS }, (_, at) => `app${at}`);

const openDatabase = (): Database => openPostgres({ url: store.url, poolMax: 4, onConnectionError: () => undefined });

beforeAll(async () => {
  store = await createTableDatabase();
  database = openDatabase();
});
beforeEach(() => sql`truncate back_channel_logouts`.execute(database.db));
afterAll(async () => {
  await database.close();
  await store.drop();
});

async function endSessions(count: number): Promise<void> {
  const recipients = {
    listLogoutRecipients: async (_tx: unknown, ids: readonly string[]) =>
      ids.map((clientId) => ({ clientId, logoutUri: uriOf(clientId) })),
  };
  const audit = createAudit({ db: database.db, clock: systemClock });
  const queue = createLogoutQueue({ db: database.db, clock: systemClock, audit, recipients });
  for (let at = 0; at < count; at += 1) {
    await queue.enqueueLogouts(database.db, { accountId: "alice", sessionId: `session-${at}`, clientIds });
  }
}

/** A node of its own, over connections of its own, that tells nobody but us whom it would tell. */
function startNode(told: string[]): LogoutWorker {
  const own = openDatabase();
  const worker = createLogoutWorker({
    db: own.db,
    clock: systemClock,
    audit: createAudit({ db: own.db, clock: systemClock }),
    prepareLogout: async ({ clientId, sessionId }) => ({
      uri: uriOf(clientId),
      logoutToken: `${clientId} ${sessionId}`,
    }),
    outbound: {
      async postForm({ form }) {
        told.push(form["logout_token"] ?? "");
        return { type: "answered", status: 200 };
      },
    },
    report: (error) => void told.push(String(error)),
  });
  onTestFinished(async () => {
    await worker.close();
    await own.close();
  });
  worker.start();
  return worker;
}

test("four nodes at once deliver every logout token exactly once", async () => {
  await endSessions(SESSIONS);
  const told: string[] = [];
  for (let node = 0; node < NODES; node += 1) startNode(told);
  await eventually(() => told.length).toBe(SESSIONS * HOSTS);
  expect(new Set(told).size).toBe(SESSIONS * HOSTS);
  const count = sql<{ count: number }>`select count(*)::int as count from back_channel_logouts`;
  await eventually(async () => (await count.execute(database.db)).rows[0]?.count).toBe(0);
});
