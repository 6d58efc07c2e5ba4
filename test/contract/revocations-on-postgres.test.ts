import { type KyselyPlugin, RawNode, sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/core/index.ts";
import { createRevocationLog, createRevocations } from "../../src/sessions/index.ts";
import { readPage } from "../../src/sessions/revocation-page.ts";
import { type Db, openPostgres } from "../../src/storage/index.ts";
import { layCable } from "../support/cable.ts";
import { openPostgresRevocations } from "./revocation-grounds.ts";
import { revocationsContract } from "./revocations.contract.ts";

const NEVER_MS = 3_600_000;
const tokenOf = (sid: string) => ({ sid, jti: "none", sub: "alice", client_id: "shopWeb", iat: 0, kid: "key" });

describe("revocations on Postgres", () => {
  revocationsContract(openPostgresRevocations);
});

/** What Postgres means to do with the statements of `work`, none of which it does. */
async function planOf(db: Db, work: (db: Db) => Promise<unknown>): Promise<string> {
  const plans: unknown[] = [];
  const explaining: KyselyPlugin = {
    transformQuery: ({ node }) =>
      RawNode.is(node)
        ? { ...node, sqlFragments: [`explain (format json) ${node.sqlFragments[0]}`, ...node.sqlFragments.slice(1)] }
        : node,
    transformResult: async ({ result }) => {
      plans.push(...result.rows);
      return { ...result, rows: [] };
    },
  };
  await work(db.withPlugin(explaining));
  return JSON.stringify(plans);
}

test("a long feed is read at once by a Postgres that has no statistics yet, which compiles nothing for it", async () => {
  const ground = await openPostgresRevocations();
  onTestFinished(() => ground.close());
  const { db } = await ground.connect();
  await sql`
    insert into revocations (id, kind, value, expires_at, recorded_at)
      select id, 'session', id::text, 4102444800, now() from generate_series(1, 20000) as id`.execute(db);
  const plan = await planOf(db, (explaining) => readPage(explaining, { after: 19_990, now: 1, recordsMax: 1_000 }));
  expect(plan).toContain("revocations_pkey");
  expect(plan).not.toContain("JIT");
});

describe("a log whose database goes away", () => {
  test("is told again once it has listened anew, and learns of what happened in between", async () => {
    const ground = await openPostgresRevocations();
    onTestFinished(() => ground.close());
    const [near, far] = [await ground.connect(), await ground.connect()];
    const log = createRevocationLog({ database: far, clock: systemClock, reportFailure() {}, lookEveryMs: NEVER_MS });
    onTestFinished(() => log.close());
    await log.start();
    const countListeners = async (): Promise<number> => {
      const { rows } = await sql<{ pid: number }>`
        select pid from pg_stat_activity where datname = current_database() and query like 'listen %'`.execute(near.db);
      return rows.length;
    };
    const killListeners = sql`
      select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query like 'listen %'`;
    await expect.poll(countListeners).toBe(1);
    await killListeners.execute(near.db);
    await createRevocations({ db: near.db, clock: systemClock }).record([
      { kind: "session", sessionId: "unheard", audiences: "all" },
    ]);
    await expect.poll(() => log.isRevoked(tokenOf("unheard"))).toBe(true);
    await expect.poll(countListeners).toBe(1);
    await createRevocations({ db: near.db, clock: systemClock }).record([
      { kind: "session", sessionId: "heard", audiences: "all" },
    ]);
    await expect.poll(() => log.isRevoked(tokenOf("heard"))).toBe(true);
  });

  test("fails to catch up, says so once, tells its followers nothing, and goes on when it is back", async () => {
    const ground = await openPostgresRevocations();
    onTestFinished(() => ground.close());
    const cable = await layCable(ground.url);
    onTestFinished(() => cable.close());
    const database = openPostgres({ url: cable.url, poolMax: 2, onConnectionError: () => undefined });
    onTestFinished(() => database.close());
    const failures: unknown[] = [];
    const log = createRevocationLog({
      database,
      clock: systemClock,
      reportFailure: (error) => failures.push(error),
      lookEveryMs: 5,
    });
    onTestFinished(() => log.close());
    let looks = 0;
    log.follow({ onRecords() {}, onLook: () => (looks += 1), onHistoryLost() {} });
    await log.start();
    await expect.poll(() => looks).toBeGreaterThan(0);
    await cable.cut();
    await expect(log.catchUp()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await expect.poll(() => failures.length).toBe(1);
    const looksBefore = looks;
    for (let round = 0; round < 5; round += 1) await log.catchUp().catch(() => undefined);
    expect([looks, failures.length]).toEqual([looksBefore, 1]);
    await cable.mend();
    await expect.poll(() => looks).toBeGreaterThan(looksBefore);
  });
});
