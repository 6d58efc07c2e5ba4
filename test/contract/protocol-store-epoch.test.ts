import type { Redis } from "ioredis";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createAudit } from "../../src/audit/index.ts";
import { createEpochs, createRevocationLog, createRevocations, watchProtocolStore } from "../../src/sessions/index.ts";
import { epochSeconds } from "../../src/core/index.ts";
import { connectRedis, type Database, openRedis } from "../../src/storage/index.ts";
import { createMovableClock, type MovableClock } from "../support/movable-clock.ts";
import { emptyAuditLog } from "../support/audit-log.ts";
import { type ReplaceableRedis, startReplaceableRedis } from "../support/replaceable-redis.ts";
import { openPostgresRevocations } from "./revocation-grounds.ts";
import type { RevocationGround } from "./revocations.contract.ts";

const NEVER_MS = 3_600_000;
const BEAT_MS = 5;
const WITHIN = { timeout: 10_000, interval: 5 };
const MARK = "lk:epoch";

/** What is in Postgres of epochs. */
interface Known {
  readonly epoch: number;
  readonly records: readonly string[];
  readonly reasons: readonly unknown[];
}

describe("a Redis that was lost or restored", () => {
  let ground: RevocationGround;
  let database: Database;
  let clock: MovableClock;
  let store: ReplaceableRedis;
  beforeAll(async () => {
    ground = await openPostgresRevocations();
    database = await ground.connect();
  });
  afterAll(() => ground.close());
  beforeEach(async () => {
    clock = createMovableClock();
    await sql`delete from revocations`.execute(database.db);
    await emptyAuditLog(database.db);
    // The last beat is just past, so that the next is due when the clock says so.
    await sql`update revocation_feed set last_id = 0, epoch = 0, store_epoch = 0, store_epoch_run = null, beat = 0,
      beat_at = ${epochSeconds(clock)}`.execute(database.db);
    store = await startReplaceableRedis();
    return () => store.close();
  });

  async function connect(): Promise<Redis> {
    const redis = openRedis({ url: store.url, onConnectionError: () => undefined });
    onTestFinished(() => redis.disconnect());
    await connectRedis(redis);
    return redis;
  }

  interface NodeOptions {
    readonly beatEveryMs?: number;
    readonly redeliverEndings?: (sinceBeat: number) => Promise<void>;
  }

  /** A node as it starts: it connects, checks, and from then on watches. */
  async function startNode({ beatEveryMs = NEVER_MS, redeliverEndings = async () => undefined }: NodeOptions = {}) {
    const redis = await connect();
    const redeliveredSince: number[] = [];
    const failures: unknown[] = [];
    const { db } = database;
    const epochs = createEpochs({
      db,
      clock,
      audit: createAudit({ db, clock }),
      revocations: createRevocations({ db, clock }),
      async redeliverEndings(sinceBeat) {
        await redeliverEndings(sinceBeat);
        redeliveredSince.push(sinceBeat);
      },
    });
    const reportFailure = (error: unknown): void => void failures.push(error);
    const watch = watchProtocolStore({ redis, epochs, beatEveryMs, reportFailure });
    onTestFinished(() => watch.close());
    await watch.start();
    const isServed = async (): Promise<boolean> =>
      redis.get("anything").then(
        () => true,
        () => false,
      );
    return { redis, isServed, failures, redeliveredSince };
  }

  async function readKnown(): Promise<Known> {
    const log = createRevocationLog({ database, clock, reportFailure() {}, lookEveryMs: NEVER_MS });
    await log.start();
    const records = log.listAfter(0, 100).map(({ kind, value }) => `${kind} ${value}`);
    await log.close();
    const { rows } = await sql<{ epoch: string }>`select epoch from revocation_feed`.execute(database.db);
    const events = await createAudit({ db: database.db, clock }).list({ type: "epoch_started", limit: 100 });
    return { epoch: Number(rows[0]?.epoch), records, reasons: events.map(({ data }) => data["reason"]) };
  }

  const FIRST = { epoch: 1, records: [], reasons: [] };
  const LOST = { epoch: 2, records: ["epoch 2"], reasons: ["protocol_store_lost"] };
  const RESTORED = { epoch: 2, records: ["epoch 2"], reasons: ["protocol_store_restored"] };

  /** Lets the deployment beat so often; a beat is over when Postgres counts it. */
  async function passBeats(count: number): Promise<void> {
    const readBeat = async (): Promise<number> => {
      const { rows } = await sql<{ beat: string }>`select beat from revocation_feed`.execute(database.db);
      return Number(rows[0]?.beat);
    };
    for (let passed = 0; passed < count; passed += 1) {
      const before = await readBeat();
      clock.passSeconds(10);
      await expect.poll(readBeat, WITHIN).toBe(before + 1);
    }
  }

  test("the first one ever begins the first epoch, which revokes nothing", async () => {
    await Promise.all([startNode(), startNode(), startNode()]);
    expect(await readKnown()).toEqual(FIRST);
    const redis = await connect();
    expect(await redis.get(MARK)).toBe("1:0");
    expect(await redis.ttl(MARK)).toBeGreaterThan(300 * 86_400);
  });

  test("that is the same after a node restarted changes nothing, and what ended is ended there once more", async () => {
    await startNode();
    const { redeliveredSince, isServed } = await startNode();
    expect(redeliveredSince).toEqual([0]);
    expect(await isServed()).toBe(true);
    expect(await readKnown()).toEqual(FIRST);
  });

  test("is not checked anew when only the wire was cut", async () => {
    const node = await startNode();
    await store.cable.cut();
    await expect.poll(node.isServed, WITHIN).toBe(false);
    await store.cable.mend();
    await expect.poll(node.isServed, WITHIN).toBe(true);
    expect(node.redeliveredSince).toHaveLength(1);
  });

  test("begins one new epoch, however many nodes notice", async () => {
    const nodes = await Promise.all([startNode(), startNode(), startNode(), startNode()]);
    await store.replace();
    for (const { isServed } of nodes) await expect.poll(isServed, WITHIN).toBe(true);
    expect(await readKnown()).toEqual(LOST);
    for (const { redeliveredSince } of nodes) expect(redeliveredSince).toEqual([0, 0]);
    expect(await nodes[0]?.redis.get(MARK)).toBe("2:0");
  });

  test("while a node was down begins a new epoch before that is served", async () => {
    const node = await startNode();
    node.redis.disconnect();
    await store.replace();
    await startNode();
    expect(await readKnown()).toEqual(LOST);
  });

  test("is noticed when it comes back from an old file, with a mark of the past", async () => {
    const node = await startNode({ beatEveryMs: BEAT_MS });
    const saved = await store.save();
    await passBeats(2);
    await store.replace(saved);
    await expect.poll(node.isServed, WITHIN).toBe(true);
    expect(await readKnown()).toEqual(RESTORED);
    expect(node.redeliveredSince).toEqual([0, 0]);
  });

  test("that lost no more than a beat has the endings of that time delivered anew, and goes on in its epoch", async () => {
    const node = await startNode({ beatEveryMs: BEAT_MS });
    await passBeats(5);
    const saved = await store.save();
    await passBeats(1);
    await store.replace(saved);
    await expect.poll(node.isServed, WITHIN).toBe(true);
    expect(await readKnown()).toEqual(FIRST);
    // Marked with the fifth beat, right after which Postgres was still at the fourth.
    expect(node.redeliveredSince).toEqual([0, 4]);
  });

  test("that was emptied while it ran is noticed at the next beat", async () => {
    const node = await startNode({ beatEveryMs: BEAT_MS });
    await node.redis.flushall();
    clock.passSeconds(10);
    await expect.poll(readKnown, WITHIN).toEqual(LOST);
    await expect.poll(() => node.redis.get(MARK).catch(() => null), WITHIN).toBe("2:0");
  });

  test("beside a Postgres that came back from the past is taken for a stranger, and the epoch goes beyond both", async () => {
    const node = await startNode({ beatEveryMs: BEAT_MS });
    await node.redis.set(MARK, "7:3");
    clock.passSeconds(10);
    await expect.poll(readKnown, WITHIN).toEqual({ ...RESTORED, epoch: 8, records: ["epoch 8"] });
  });

  test("that was away for long is not taken for one that lost something", async () => {
    const node = await startNode({ beatEveryMs: BEAT_MS });
    await store.cable.cut();
    for (let beat = 0; beat < 10; beat += 1) {
      clock.passSeconds(10);
      expect(await node.isServed()).toBe(false);
    }
    await store.cable.mend();
    await expect.poll(node.isServed, WITHIN).toBe(true);
    expect(await readKnown()).toEqual(FIRST);
  });

  test("beats once for the whole deployment", async () => {
    const { redis } = await startNode({ beatEveryMs: BEAT_MS });
    await startNode({ beatEveryMs: BEAT_MS });
    await passBeats(3);
    expect(await redis.get(MARK)).toBe("1:3");
  });

  test("keeps its mark when a node that stood still in the middle of a beat goes on", async () => {
    const still = await startNode({ beatEveryMs: BEAT_MS });
    const [hasRead, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const send = still.redis.sendCommand.bind(still.redis);
    let isStanding = false;
    still.redis.sendCommand = async (command, stream) => {
      if (isStanding) await goesOn.promise;
      const found = await send(command, stream);
      isStanding ||= command.name === "get";
      if (isStanding) hasRead.resolve();
      return found;
    };
    clock.passSeconds(10);
    await hasRead.promise;
    const { redis } = await startNode({ beatEveryMs: BEAT_MS });
    await passBeats(3);
    isStanding = false;
    still.redis.sendCommand = send;
    goesOn.resolve();
    await passBeats(2);
    expect(await redis.get(MARK)).toBe("1:5");
    expect(await readKnown()).toEqual(FIRST);
  });

  test("serves nobody until it has been checked, and the check tries again when it fails", async () => {
    let isBroken = false;
    let attempts = 0;
    const node = await startNode({
      async redeliverEndings() {
        attempts += 1;
        if (isBroken) throw new Error("the endings cannot be read");
      },
    });
    isBroken = true;
    await store.replace();
    await expect.poll(() => attempts, WITHIN).toBeGreaterThan(2);
    expect(node.redis.status).toBe("ready");
    await expect(node.redis.get("anything")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await expect(node.redis.ping()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(node.failures.length).toBeGreaterThan(0);
    isBroken = false;
    await expect.poll(node.isServed, WITHIN).toBe(true);
    expect(await readKnown()).toEqual(LOST);
  });

  test("that was emptied while it ran serves nobody either, as long as the check fails", async () => {
    let isBroken = false;
    let attempts = 0;
    const node = await startNode({
      beatEveryMs: BEAT_MS,
      async redeliverEndings() {
        attempts += 1;
        if (isBroken) throw new Error("the endings cannot be read");
      },
    });
    isBroken = true;
    await node.redis.flushall();
    clock.passSeconds(10);
    await expect.poll(() => attempts, WITHIN).toBeGreaterThan(2);
    expect(await node.isServed()).toBe(false);
    isBroken = false;
    await expect.poll(node.isServed, WITHIN).toBe(true);
    expect(await readKnown()).toEqual(LOST);
  });

  test("lets the check itself through", async () => {
    let found: string | null = "nothing yet";
    const other = await connect();
    const node = await startNode({
      redeliverEndings: async () => void (found = await other.get("anything")),
    });
    let throughGuard: string | null | undefined;
    const guarded = await startNode({ redeliverEndings: async () => void (throughGuard = await node.redis.get("a")) });
    expect([found, throughGuard]).toEqual([null, null]);
    expect(await guarded.isServed()).toBe(true);
  });

  test("goes on when an operator begins an epoch, of which it knows nothing", async () => {
    await startNode({ beatEveryMs: BEAT_MS });
    await createRevocations({ db: database.db, clock }).record([{ kind: "epoch" }]);
    await passBeats(2);
    expect(await readKnown()).toEqual({ epoch: 2, records: ["epoch 2"], reasons: [] });
  });
});
