import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { createSealer } from "../core/index.ts";
import type { Database } from "../storage/index.ts";
import {
  headerOf,
  type MailServer,
  type MailServerOptions,
  startMailServer,
  theMail,
} from "../../test/support/mail-server.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import {
  createMailLog,
  createMailOutbox,
  createMailRenderer,
  createMailWorker,
  type MailKind,
  type MailSettled,
} from "./index.ts";
import type { OutgoingMail } from "./outgoing-mail.ts";
import { LEASE_MS, PLACES_MAX } from "./mail-worker.ts";
import { createSmtpTransport } from "./smtp-transport.ts";
import { TEMPLATES } from "./templates/index.ts";

/** What becomes so in its own time, on a busy machine too. */
function eventually<Value>(look: () => Value) {
  return expect.poll(look, { timeout: 10_000, interval: 10 });
}

const clock = { now: Date.UTC(2026, 0, 1), nowMs: () => clock.now };
const passSeconds = (seconds: number): void => void (clock.now += seconds * 1_000);
const sealer = createSealer(["a secret of 32 bytes or more 0123456789"]);
const render = createMailRenderer({ issuer: "https://id.example.com", brand: { name: "Example", color: "#0f766e" } });

let database: Database;
let settled: MailSettled[] = [];
const observer = { settled: (mail: MailSettled) => void settled.push(mail) };
const resultsSoFar = () => settled.map(({ result, reason }) => (reason === undefined ? result : `${result} ${reason}`));

beforeAll(async () => {
  database = await openTestEmbedded();
}, 30_000);
afterAll(() => database.close());
beforeEach(async () => {
  settled = [];
  await sql`truncate mail_outbox`.execute(database.db);
});

const outboxOf = (isConfigured = true) => createMailOutbox({ db: database.db, clock, sealer, isConfigured, observer });

const notice = (to = "alice@example.com"): OutgoingMail => ({
  kind: "notice.password_changed",
  to,
  locale: "en",
  variables: { atMs: clock.now, device: "Firefox on Linux", place: "192.0.2.7" },
});

async function enqueue(...mails: readonly OutgoingMail[]): Promise<void> {
  await database.db.transaction().execute(async (tx) => {
    for (const mail of mails) await outboxOf().enqueue(tx, mail);
  });
}

async function startServer(options: MailServerOptions = {}): Promise<MailServer> {
  const server = await startMailServer(options);
  onTestFinished(() => server.close());
  return server;
}

interface NodeOptions {
  readonly sendTimeoutMs?: number;
  readonly credentials?: { readonly user: string; readonly password: string };
}

/** A node's worker, which is never started: it looks when it is told to. */
function createNode({ port }: { readonly port: number }, { sendTimeoutMs, credentials }: NodeOptions = {}) {
  const server = { host: "127.0.0.1", port, tls: "none", credentials } as const;
  const from = { name: "Example", address: "id@example.com" };
  const timeout = sendTimeoutMs === undefined ? {} : { sendTimeoutMs };
  const transport = createSmtpTransport({ server, from, hostName: "id.example.com", clock, ...timeout });
  const report = vi.fn<(error: unknown) => void>();
  const worker = createMailWorker({ db: database.db, clock, sealer, render, transport, observer, report });
  onTestFinished(() => worker.close());
  return { ...worker, report };
}

async function countRows(): Promise<number> {
  return (await outboxOf().readBacklog()).waiting;
}

describe("the outbox", () => {
  test("a mail is gone with the transaction that it belongs to", async () => {
    const failed = database.db.transaction().execute(async (tx) => {
      await outboxOf().enqueue(tx, notice());
      throw new Error("the change failed");
    });
    await expect(failed).rejects.toThrow("the change failed");
    expect(await countRows()).toBe(0);
  });

  test("nothing is kept where mail is off", async () => {
    const outbox = outboxOf(false);
    await outbox.enqueue(database.db, notice());
    expect({ isConfigured: outbox.isConfigured, rows: await countRows() }).toEqual({ isConfigured: false, rows: 0 });
  });

  test("what lies there is sealed: neither the address nor the content can be read [ASVS 14.2.4]", async () => {
    await enqueue(notice("alice@example.com"));
    const { rows } = await sql<object>`select * from mail_outbox`.execute(database.db);
    const [row] = rows as readonly { id: string; kind: string; content: Uint8Array }[];
    const seen = JSON.stringify({ ...row, content: Buffer.from(row?.content ?? []).toString("latin1") });
    expect(seen).not.toMatch(/alice|example|Firefox|192\.0\.2/);
  });

  test("a content that was moved to another row opens in none", async () => {
    const server = await startServer();
    await enqueue(notice("alice@example.com"), notice("bob@example.com"));
    await sql`update mail_outbox set content = (select content from mail_outbox order by id limit 1)`.execute(
      database.db,
    );
    createNode(server).wake();
    await eventually(() => resultsSoFar().length).toBe(2);
    expect(resultsSoFar().toSorted()).toEqual(["retried unprepared", "sent"]);
  });

  test("tells how many wait, and for how long", async () => {
    await enqueue(notice());
    passSeconds(30);
    await enqueue(notice());
    expect(await outboxOf().readBacklog()).toEqual({ waiting: 2, oldestSeconds: 30 });
  });
});

describe("a worker", () => {
  test("sends what waits, to whom it is for, and keeps nothing of it", async () => {
    const server = await startServer();
    await enqueue(notice("alice@example.com"), notice("bob@example.com"));
    createNode(server).wake();
    await eventually(() => resultsSoFar()).toEqual(["sent", "sent"]);
    expect(server.received.map(({ from, to }) => `${from} ${to.join()}`).toSorted()).toEqual([
      "id@example.com alice@example.com",
      "id@example.com bob@example.com",
    ]);
    expect(await countRows()).toBe(0);
  });

  test("tries again after 5, 15, 30, 60 s … what the server puts off, with the same Message-ID", async () => {
    const answers: number[] = [451, 421, 450];
    const server = await startServer({ onData: () => answers.shift() });
    await enqueue(notice());
    const node = createNode(server);
    for (const [position, pause] of [5, 15, 30].entries()) {
      node.wake();
      await eventually(() => settled.length).toBe(position + 1);
      expect(settled.at(-1)).toMatchObject({ result: "retried", tries: position + 1 });
      passSeconds(pause - 1);
      node.wake();
      passSeconds(1);
    }
    node.wake();
    await eventually(() => settled.at(-1)?.result).toBe("sent");
    expect(settled.map(({ tries }) => tries)).toEqual([1, 2, 3, 4]);
    expect(headerOf(theMail(server), "Message-ID")).toMatch(/^<[\w-]{22}@id\.example\.com>$/);
  });

  test.each([
    ["the recipient", { onRecipient: () => 550 }],
    ["the mail", { onData: () => 554 }],
  ])("does not try again when the server refuses %s for good", async (_, options) => {
    const server = await startServer(options);
    await enqueue(notice());
    createNode(server).wake();
    await eventually(() => resultsSoFar()).toEqual([expect.stringMatching(/^refused status_55[04]$/)]);
    expect(await countRows()).toBe(0);
  });

  test("loses nothing to credentials that are wrong: an operator can mend them", async () => {
    const right = { user: "latchkey", password: "right" };
    const server = await startServer({ credentials: right });
    await enqueue(notice());
    createNode(server, { credentials: { user: "latchkey", password: "wrong" } }).wake();
    await eventually(() => resultsSoFar()).toEqual(["retried status_535"]);
    passSeconds(5);
    createNode(server, { credentials: right }).wake();
    await eventually(() => resultsSoFar().at(-1)).toBe("sent");
  });

  test("a mail server that is down for a minute loses nothing and doubles nothing", async () => {
    const first = await startServer();
    await first.close();
    const people = Array.from({ length: 20 }, (_, at) => `person${at}@example.com`);
    await enqueue(...people.map((to) => notice(to)));
    const node = createNode(first);
    for (let second = 0; second < 60; second += 5) {
      node.wake();
      await eventually(() => countDue()).toBe(0);
      passSeconds(5);
    }
    expect(await countRows()).toBe(20);
    const server = await startServer({ port: first.port });
    passSeconds(60);
    node.wake();
    await eventually(() => countRows()).toBe(0);
    expect(server.received.flatMap(({ to }) => to).toSorted()).toEqual(people.toSorted());
  });

  async function countDue(): Promise<number> {
    const { rows } = await sql<{ count: number }>`
      select count(*)::int as count from mail_outbox where due_at <= ${new Date(clock.now)}::timestamptz`.execute(
      database.db,
    );
    return rows[0]?.count ?? 0;
  }

  test("a server that hangs over one mail does not hold up the others, and is cut off", async () => {
    const server = await startServer({ onRecipient: (to) => (to.startsWith("slow") ? "hang" : undefined) });
    const others = Array.from({ length: 3 * PLACES_MAX }, (_, at) => notice(`person${at}@example.com`));
    await enqueue(notice("slow@example.com"), ...others);
    createNode(server, { sendTimeoutMs: 1_500 }).wake();
    await eventually(() => server.received.length).toBe(others.length);
    await eventually(() => resultsSoFar().filter((result) => result !== "sent")).toEqual(["retried etimedout"]);
  });

  test("what a node held that died is sent by another once its lease is over, and not before", async () => {
    const server = await startServer();
    await enqueue(notice());
    await sql`update mail_outbox set tries = 1, due_at = ${new Date(clock.now + LEASE_MS)}::timestamptz`.execute(
      database.db,
    );
    const node = createNode(server);
    node.wake();
    passSeconds(LEASE_MS / 1_000 - 1);
    node.wake();
    expect(await countRows()).toBe(1);
    passSeconds(1);
    node.wake();
    await eventually(() => resultsSoFar()).toEqual(["sent"]);
  });

  test("a database that is away when a mail was sent is asked until it answers: nobody gets it twice", async () => {
    const server = await startServer();
    await enqueue(notice());
    await sql`create function refuse_deletion() returns trigger language plpgsql as 'begin raise ''away''; end'`.execute(
      database.db,
    );
    await sql`create trigger refusal before delete on mail_outbox execute function refuse_deletion()`.execute(
      database.db,
    );
    try {
      const node = createNode(server);
      node.wake();
      await eventually(() => node.report.mock.calls.length).toBeGreaterThan(0);
    } finally {
      await sql`drop function refuse_deletion cascade`.execute(database.db);
    }
    await eventually(() => resultsSoFar()).toEqual(["sent"]);
    expect({ received: server.received.length, rows: await countRows() }).toEqual({ received: 1, rows: 0 });
  });

  test("leaves alone what only a newer version can make a mail of", async () => {
    const server = await startServer();
    await enqueue(notice());
    await sql`update mail_outbox set kind = 'notice.from_the_future'`.execute(database.db);
    const node = createNode(server);
    node.wake();
    await node.close();
    expect({ rows: await countRows(), settled }).toEqual({ rows: 1, settled: [] });
  });
});

describe("a mail that would come too late", () => {
  const lifetimeSeconds = TEMPLATES["notice.password_changed"].lifetimeSeconds;

  test("is not sent any more, and is dropped with a trace", async () => {
    const server = await startServer();
    await enqueue(notice());
    passSeconds(lifetimeSeconds);
    const node = createNode(server);
    node.wake();
    await node.close();
    expect(server.received).toEqual([]);
    expect(await outboxOf().sweep()).toBe(1);
    expect(resultsSoFar()).toEqual(["expired expired"]);
    expect(await countRows()).toBe(0);
  });

  test("is sent a second before", async () => {
    const server = await startServer();
    await enqueue(notice());
    passSeconds(lifetimeSeconds - 1);
    createNode(server).wake();
    await eventually(() => resultsSoFar()).toEqual(["sent"]);
  });

  test("is given up at once when the next try would be after its end", async () => {
    const server = await startServer({ onData: () => 451 });
    await enqueue(notice());
    passSeconds(lifetimeSeconds - 5);
    createNode(server).wake();
    await eventually(() => resultsSoFar()).toEqual(["expired status_451"]);
    expect(await countRows()).toBe(0);
  });
});

test("the log says what became of mails, trouble once and not for each, and nothing of what they say", async () => {
  const warn = vi.fn<(fields: object, sentence: string) => void>();
  const log = createMailLog({ warn });
  const mail = { kind: "notice.new_device" satisfies MailKind, tries: 1 };
  log.settled({ ...mail, result: "retried", reason: "etimedout" });
  log.settled({ ...mail, result: "retried", reason: "etimedout" });
  log.settled({ ...mail, result: "refused", reason: "status_550" });
  log.settled({ ...mail, result: "sent" });
  log.settled({ ...mail, result: "retried", reason: "status_451" });
  expect(warn.mock.calls.map(([fields]) => fields)).toEqual([
    { mail: "notice.new_device", tries: 1, reason: "etimedout" },
    { mail: "notice.new_device", tries: 1, reason: "status_550" },
    { mail: "notice.new_device", tries: 1, reason: "status_451" },
  ]);
});
