import { appendFile, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { createAudit } from "../audit/index.ts";
import type { Database } from "../storage/index.ts";
import { openTestChain } from "../../test/support/audit-chain.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import { LEASE_MS } from "./audit-log-writer.ts";
import { createAuditLogWriter, type EventSink, openFileSink, openOutputSink } from "./index.ts";

/** What becomes so in its own time, on a busy machine too. */
function eventually<Value>(look: () => Value) {
  return expect.poll(look, { timeout: 10_000, interval: 10 });
}

const clock = { now: Date.UTC(2026, 0, 1), nowMs: () => clock.now };
let database: Database;
let folder: string;
let path: string;
let people = 0;

beforeAll(async () => {
  database = await openTestEmbedded();
  folder = await mkdtemp(join(tmpdir(), "latchkey-audit-log-"));
}, 60_000);
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  path = join(folder, `${(people += 1)}.ndjson`);
  await chain().sealWaiting();
  await sql`update audit_log_progress set holder = null, position = (select position from audit_chain)`.execute(
    database.db,
  );
});

const chain = () => openTestChain(database.db, clock);

async function happen(...accountIds: readonly string[]): Promise<void> {
  const audit = createAudit({ db: database.db, clock });
  for (const accountId of accountIds) await audit.append(database.db, { type: "session_started", accountId });
  await chain().sealWaiting();
}

function startWriter(sink: EventSink = openFileSink(path)) {
  const report = vi.fn<(error: unknown) => void>();
  const writer = createAuditLogWriter({ db: database.db, clock, chain: chain(), sink, report });
  onTestFinished(() => writer.close());
  writer.wake();
  return { ...writer, report };
}

async function linesOf(file: string): Promise<readonly string[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}

const accountsIn = async (file = path) =>
  (await linesOf(file)).map((line) => (JSON.parse(line) as { readonly accountId: string }).accountId);

/** How many events have yet to be written down as written. */
async function behindCount(): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select (audit_chain.position - audit_log_progress.position)::int as count from audit_chain, audit_log_progress`.execute(
    database.db,
  );
  return rows[0]?.count ?? 0;
}

test("every event is a line, in the order of the chain, in a file for its owner alone [ASVS 16.4.2]", async () => {
  await happen("alice", "bob");
  const writer = startWriter();
  await eventually(() => accountsIn()).toEqual(["alice", "bob"]);
  await happen("carol");
  writer.wake();
  await eventually(() => accountsIn()).toEqual(["alice", "bob", "carol"]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(JSON.parse((await linesOf(path))[0] ?? "")).toMatchObject({
    schema: "latchkey.audit.v1",
    position: expect.stringMatching(/^\d+$/),
    type: "session_started",
  });
});

test("one process writes; another goes on when it stops, or has died", async () => {
  const first = startWriter();
  await happen("alice");
  first.wake();
  await eventually(() => accountsIn()).toEqual(["alice"]);
  const second = startWriter();
  await happen("bob");
  second.wake();
  first.wake();
  await eventually(() => accountsIn()).toEqual(["alice", "bob"]);
  await first.close();
  await happen("carol");
  second.wake();
  await eventually(() => accountsIn()).toEqual(["alice", "bob", "carol"]);

  await eventually(() => behindCount()).toBe(0);
  const third = startWriter();
  await sql`update audit_log_progress set holder = 'dead', held_until = ${new Date(clock.now + LEASE_MS)}::timestamptz`.execute(
    database.db,
  );
  await happen("dave");
  clock.now += LEASE_MS - 1;
  third.wake();
  await third.close();
  expect(await accountsIn()).toHaveLength(3);
  clock.now += 1;
  startWriter();
  await eventually(() => accountsIn()).toEqual(["alice", "bob", "carol", "dave"]);
});

test("a file that was moved away or removed is begun anew, and nothing is lost", async () => {
  const writer = startWriter();
  await happen("alice");
  writer.wake();
  await eventually(() => accountsIn()).toEqual(["alice"]);
  await rename(path, `${path}.1`);
  await happen("bob");
  writer.wake();
  await eventually(() => accountsIn()).toEqual(["bob"]);
  await rm(path);
  await happen("carol");
  writer.wake();
  await eventually(() => accountsIn()).toEqual(["carol"]);
  expect(await accountsIn(`${path}.1`)).toEqual(["alice"]);
});

test("what could not be written is said once, and written when it can be", async () => {
  const away = join(folder, "not-there", "audit.ndjson");
  await happen("alice");
  const writer = startWriter(openFileSink(away));
  await eventually(() => writer.report.mock.calls.length).toBe(1);
  writer.wake();
  await writer.close();
  expect(writer.report).toHaveBeenCalledTimes(1);
  expect(writer.report.mock.calls[0]?.[0]).toMatchObject({ code: "ENOENT" });
  startWriter();
  await eventually(() => accountsIn()).toEqual(["alice"]);
});

test("half a line that somebody died over stands alone", async () => {
  await appendFile(path, '{"schema":"latch');
  await happen("alice");
  startWriter();
  await eventually(() => linesOf(path)).toHaveLength(2);
  expect((await linesOf(path))[1]).toContain('"accountId":"alice"');
});

test("what was written and could not be written down is written again: at least once", async () => {
  const written: string[] = [];
  let isDying = true;
  const sink: EventSink = {
    async write(lines) {
      written.push(...lines);
      if (isDying) throw new Error("died after writing");
    },
    close: async () => undefined,
  };
  await happen("alice");
  const writer = startWriter(sink);
  await eventually(() => writer.report.mock.calls.length).toBe(1);
  isDying = false;
  writer.wake();
  await eventually(() => written.length).toBe(2);
  expect(written[0]).toBe(written[1]);
});

test("standard output gets each line as a whole, and what it does not take is a failure", async () => {
  const pieces: string[] = [];
  const taking = openOutputSink({
    write(text: string, done: unknown) {
      pieces.push(text);
      if (typeof done === "function") done();
      return true;
    },
  });
  await taking.write(["one", "two"]);
  expect(pieces).toEqual(["one\n", "two\n"]);
  const refusing = openOutputSink({
    write(_: string, done: unknown) {
      if (typeof done === "function") done(new Error("EPIPE"));
      return false;
    },
  });
  await expect(refusing.write(["one"])).rejects.toThrow("EPIPE");
});
