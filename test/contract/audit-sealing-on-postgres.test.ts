/** What only several connections can do to each other. */
import { sql } from "kysely";
import { beforeEach, describe, expect, test } from "vitest";
import { createAudit } from "../../src/audit/index.ts";
import { type AuditScene, openAuditScene } from "./audit-scene.ts";
import { openPostgresRevocations } from "./revocation-grounds.ts";

const NODES = 4;
const EVENTS_EACH = 150;
/** More than what a sealer goes through again each time (seal-pass.ts). */
const MANY = 6_000;

const scene = openAuditScene(() => openPostgresRevocations(6));

/** A transaction with an event in it, which is committed when it is told to. */
async function beginLate({ connect, clock }: AuditScene, accountId: string) {
  const { db } = await connect();
  const [appended, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done = db.transaction().execute(async (tx) => {
    await createAudit({ db: tx, clock }).append(tx, { type: "session_started", accountId });
    appended.resolve();
    await mayCommit.promise;
  });
  await appended.promise;
  return {
    async commit() {
      mayCommit.resolve();
      await done;
    },
  };
}

async function readAll({ chain }: AuditScene, after = "0") {
  const events = [];
  for (let position = after; ;) {
    const page = await chain.readSealed({ after: position, limit: 1_000 });
    if (page.position === position) return events;
    events.push(...page.events);
    ({ position } = page);
  }
}

describe("nodes that seal at the same time", () => {
  beforeEach(async () => {
    await scene().chain.sealWaiting();
  });

  test("give every event one place, whatever is committed meanwhile, and a reader misses none", async () => {
    const { chainWith, connect, chain, clock } = scene();
    const start = await chain.readPosition();
    const done = { now: false };
    const nodes = await Promise.all(Array.from({ length: NODES }, async () => (await connect()).db));
    const sealing = nodes.map(async (db) => {
      const its = chainWith({ db });
      while (!done.now) await its.sealWaiting();
    });
    const seen: string[] = [];
    const reading = (async () => {
      for (let position = start; ;) {
        const wasDone = done.now;
        const page = await chain.readSealed({ after: position, limit: 100 });
        seen.push(...page.events.map(({ requestId }) => requestId ?? ""));
        if (wasDone && page.position === position) return;
        ({ position } = page);
      }
    })();
    try {
      await Promise.all(
        nodes.map(async (db, node) => {
          const audit = createAudit({ db, clock });
          for (let event = 0; event < EVENTS_EACH; event += 1) {
            const append = (tx: typeof db) =>
              audit.append(tx, { type: "session_started", requestId: `${node}-${event}` });
            const isUndone = event % 10 === 9;
            const work = db.transaction().execute(async (tx) => {
              await append(tx);
              // The larger number of two transactions is often committed first.
              if (event % 3 === 0) await sql`select pg_sleep(0.002)`.execute(tx);
              if (isUndone) throw new Error("undone");
            });
            await work.catch(() => undefined);
          }
        }),
      );
      await expect.poll(async () => (await chain.readBacklog()).waiting, { timeout: 10_000 }).toBe(0);
    } finally {
      done.now = true;
    }
    await Promise.all([...sealing, reading]);
    const expected = NODES * EVENTS_EACH * 0.9;
    expect(new Set(seen).size).toBe(expected);
    expect(seen).toHaveLength(expected);
    expect(Number(await chain.readPosition())).toBe(Number(start) + expected);
    expect(await chain.verify()).toMatchObject({ verdict: "intact", waiting: 0 });
  });

  test("an event that is committed late has its place behind those that it was before", async () => {
    const { chain, addSignIns } = scene();
    const start = await chain.readPosition();
    const late = await beginLate(scene(), "late");
    await addSignIns("soon", 2);
    expect(await chain.sealWaiting()).toBe(2);
    expect(await chain.sealWaiting()).toBe(0);
    await late.commit();
    expect(await chain.sealWaiting()).toBe(1);
    const events = await readAll(scene(), start);
    expect(events.map(({ accountId }) => accountId)).toEqual(["soon", "soon", "late"]);
    expect(Number(events[2]?.id)).toBeLessThan(Number(events[0]?.id));
    expect((await chain.verify()).verdict).toBe("intact");
  });

  test("a node that takes over knows nothing of what another had seen, and seals nothing twice", async () => {
    const { chainWith, connect, chain, addSignIns } = scene();
    const late = await beginLate(scene(), "taken over");
    await addSignIns("before", 3);
    await chain.sealWaiting();
    const other = chainWith({ db: (await connect()).db });
    expect(await other.sealWaiting()).toBe(0);
    await late.commit();
    expect(await other.sealWaiting()).toBe(1);
    expect(await chain.sealWaiting()).toBe(0);
    expect((await chain.verify()).verdict).toBe("intact");
  });
});

/** Of its own: until the transactions are over that ran meanwhile, other databases' included, late events wait longer. */
describe("an event that is committed late, when much came meanwhile", () => {
  const far = openAuditScene(() => openPostgresRevocations(6));

  test("has its place behind those that it was before, and no pass has to go through all of them", async () => {
    const { chain, clock, db } = far();
    const late = await beginLate(far(), "very late");
    await sql`insert into audit_events (occurred_at, type) select now(), 'session_started' from generate_series(1, ${MANY})`.execute(
      db,
    );
    expect(await chain.sealWaiting()).toBe(MANY);
    await late.commit();
    // What lies far back is looked at again from time to time.
    await chain.sealWaiting();
    clock.passSeconds(11);
    await expect.poll(() => chain.sealWaiting().then(async () => (await chain.readBacklog()).waiting)).toBe(0);
    expect((await readAll(far())).at(-1)).toMatchObject({ accountId: "very late" });
    expect((await chain.verify()).verdict).toBe("intact");
  });
});

test("months are made by several nodes at once, and while events come in", async () => {
  const { chainWith, connect, clock, addSignIns, chain } = scene();
  clock.passSeconds(70 * 24 * 60 * 60);
  await addSignIns("alice", 3);
  const nodes = await Promise.all(Array.from({ length: NODES }, async () => chainWith({ db: (await connect()).db })));
  await Promise.all([...nodes.map((node) => node.sweep()), addSignIns("bob", 20)]);
  await chain.sweep();
  expect((await chain.readBacklog()).monthsAhead).toBe(2);
  await chain.sealWaiting();
  expect(await chain.verify()).toMatchObject({ verdict: "intact" });
});
