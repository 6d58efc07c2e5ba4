import { sql } from "kysely";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createSealer, systemClock } from "../../src/core/index.ts";
import {
  createMailOutbox,
  createMailRenderer,
  createMailWorker,
  MAIL_CHANNEL,
  type MailSettled,
} from "../../src/mail/index.ts";
import { type Database, openPostgres } from "../../src/storage/index.ts";
import { createTableDatabase, type TestStore } from "../support/stores.ts";

/** What becomes so in its own time, on a busy machine too. */
function eventually<Value>(look: () => Value) {
  return expect.poll(look, { timeout: 10_000, interval: 10 });
}

const NODES = 4;
const MAILS = 200;
const sealer = createSealer(["a secret of 32 bytes or more 0123456789"]);
const render = createMailRenderer({ issuer: "https://id.example.com", brand: { name: "Example", color: "#0f766e" } });

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

/** A node of its own, over connections of its own, woken by the database alone. */
function startNode(sent: string[]): void {
  const own = openDatabase();
  const worker = createMailWorker({
    db: own.db,
    clock: systemClock,
    sealer,
    render,
    transport: {
      async send({ to }) {
        sent.push(to);
        return { type: "accepted" };
      },
    },
    observer: { settled: () => undefined },
    report: (error) => void sent.push(String(error)),
  });
  const listener = own.listen(MAIL_CHANNEL, () => worker.wake());
  onTestFinished(async () => {
    await listener.close();
    await worker.close();
    await own.close();
  });
}

test("four nodes at once send every mail exactly once, woken by the commit that enqueued it", async () => {
  const sent: string[] = [];
  for (let node = 0; node < NODES; node += 1) startNode(sent);
  const settled: MailSettled[] = [];
  const observer = { settled: (mail: MailSettled) => void settled.push(mail) };
  const outbox = createMailOutbox({ db: database.db, clock: systemClock, sealer, isConfigured: true, observer });
  const people = Array.from({ length: MAILS }, (_, at) => `person${at}@example.com`);
  for (const to of people) {
    await database.db.transaction().execute((tx) =>
      outbox.enqueue(tx, {
        kind: "notice.password_changed",
        to,
        locale: undefined,
        variables: { atMs: systemClock.nowMs() },
      }),
    );
  }
  await eventually(() => sent.length).toBe(MAILS);
  expect(sent.toSorted()).toEqual(people.toSorted());
  const count = sql<{ count: number }>`select count(*)::int as count from mail_outbox`;
  await eventually(async () => (await count.execute(database.db)).rows[0]?.count).toBe(0);
});
