import { setImmediate as turn } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createAudit } from "../../src/audit/index.ts";
import { createClients } from "../../src/clients/index.ts";
import { epochSeconds } from "../../src/core/index.ts";
import { createRevocationLog, createRevocations, type NewRevocation } from "../../src/sessions/index.ts";
import type { LogFollower, RevocationLogDeps } from "../../src/sessions/revocation-log.ts";
import type { Revocation } from "../../src/sessions/revocation-page.ts";
import type { RevocableToken } from "../../src/verifier/index.ts";
import type { Database } from "../../src/storage/index.ts";
import { type MovableClock, createMovableClock } from "../support/movable-clock.ts";
import { ordersApi } from "../support/cast.ts";

/** A database, and as many connections to it as a suite likes: each plays one node. */
export interface RevocationGround {
  readonly kind: "postgres" | "embedded";
  connect(): Promise<Database>;
  close(): Promise<void>;
}

const DAY_SECONDS = 86_400;
const NEVER_MS = 3_600_000;
const FOR_ALL = { audiences: "all" } as const;
const sessionEnded = (sessionId: string): NewRevocation => ({ kind: "session", sessionId, ...FOR_ALL });

/** What the records of revocation and the log of one node do, on every database. */
export function revocationsContract(openGround: () => Promise<RevocationGround>): void {
  let ground: RevocationGround;
  let near: Database;
  let far: Database;
  let clock: MovableClock;
  beforeAll(async () => {
    ground = await openGround();
    [near, far] = [await ground.connect(), await ground.connect()];
  });
  beforeEach(async () => {
    clock = createMovableClock();
    await sql`delete from revocations`.execute(near.db);
    await sql`delete from resource_servers`.execute(near.db);
    await sql`delete from access_token_lives`.execute(near.db);
    await sql`update revocation_feed set last_id = 0, epoch = 0`.execute(near.db);
  });
  afterAll(() => ground.close());

  const revocationsOf = (database: Database) => createRevocations({ db: database.db, clock });
  const now = (): number => epochSeconds(clock);
  const tokenOf = (claims: Partial<RevocableToken>): RevocableToken => ({
    jti: "none",
    sub: "alice",
    client_id: "shopWeb",
    iat: now(),
    kid: "key",
    ...claims,
  });

  /** A log that looks and listens only as far as the test says. */
  async function startLog(
    database: Database,
    { follower, ...options }: Partial<RevocationLogDeps> & { readonly follower?: LogFollower } = {},
  ) {
    const log = createRevocationLog({
      database,
      clock,
      reportFailure: (error) => expect.unreachable(String(error)),
      lookEveryMs: NEVER_MS,
      ...options,
    });
    onTestFinished(() => log.close());
    if (follower !== undefined) log.follow(follower);
    await log.start();
    return log;
  }

  /** Everything that a log reads, in the order of reading. */
  function collect(log: Awaited<ReturnType<typeof startLog>>) {
    const read: Revocation[] = [];
    const looks: number[] = [];
    let losses = 0;
    log.follow({
      onRecords: (records) => void read.push(...records),
      onLook: () => void looks.push(log.lastId),
      onHistoryLost: () => void (losses += 1),
    } satisfies LogFollower);
    return { read, looks, losses: () => losses };
  }

  async function listRecords(): Promise<readonly Revocation[]> {
    const log = await startLog(near);
    return log.listAfter(0, 1_000);
  }

  describe("a record", () => {
    test("says what it refuses, of whom, and until when", async () => {
      await revocationsOf(near).record([
        { kind: "session", sessionId: "s1", audiences: ["https://a.example.com", "https://b.example.com"] },
        { kind: "consent", grantId: "g1", audiences: [] },
        { kind: "token", tokenId: "t1", audiences: "all" },
        { kind: "key", keyId: "k1" },
        { kind: "account", accountId: "alice" },
        { kind: "client", clientId: "shopWeb" },
        { kind: "epoch" },
      ]);
      const records = await listRecords();
      expect(records.map(({ kind, value, issuedBefore, audiences }) => [kind, value, issuedBefore, audiences])).toEqual(
        [
          ["session", "s1", undefined, ["https://a.example.com", "https://b.example.com"]],
          ["consent", "g1", undefined, []],
          ["token", "t1", undefined, null],
          ["key", "k1", undefined, null],
          ["account", "alice", now() + 5, null],
          ["client", "shopWeb", now() + 5, null],
          ["epoch", "1", now() + 5, null],
        ],
      );
      const keptSeconds = records.map(({ kind, expiresAt }) => `${kind} ${expiresAt - now()}`);
      // Of a stolen key there may be tokens with any end, and copies of its public half in caches.
      expect(keptSeconds).toContain(`key ${300 + DAY_SECONDS}`);
      expect(new Set(keptSeconds.filter((one) => !one.startsWith("key")).map((one) => one.split(" ")[1]))).toEqual(
        new Set(["600"]),
      );
    });

    test("that is rolled back leaves nothing, not even a number", async () => {
      await revocationsOf(near).record([sessionEnded("first")]);
      const failing = near.db.transaction().execute(async (tx) => {
        await revocationsOf(near).append(tx, [sessionEnded("never")]);
        throw new Error("it went wrong");
      });
      await expect(failing).rejects.toThrow("it went wrong");
      await revocationsOf(far).record([sessionEnded("second")]);
      expect((await listRecords()).map(({ id, value }) => [id, value])).toEqual([
        [1, "first"],
        [2, "second"],
      ]);
    });

    test("of an epoch is numbered far beyond every position of a lost history", async () => {
      await revocationsOf(near).record([sessionEnded("before")]);
      await revocationsOf(near).record([{ kind: "epoch" }]);
      await revocationsOf(near).record([{ kind: "epoch" }]);
      const [, first, second] = await listRecords();
      expect([first?.value, second?.value]).toEqual(["1", "2"]);
      expect((first?.id ?? 0) - 1).toBeGreaterThan(1_000_000);
      expect((second?.id ?? 0) - (first?.id ?? 0)).toBeGreaterThan(1_000_000);
    });

    test("is swept when it has expired, and not before", async () => {
      await revocationsOf(near).record([sessionEnded("s")]);
      clock.passSeconds(599);
      expect(await revocationsOf(far).sweep()).toBe(0);
      clock.passSeconds(1);
      expect(await revocationsOf(far).sweep()).toBe(1);
      expect(await revocationsOf(far).sweep()).toBe(0);
    });

    test("of everybody's sessions are swept, more than one statement would have the time for", async () => {
      const several = 12_345;
      await sql`insert into revocations (id, kind, value, expires_at)
        select number, 'session', number::text, ${now()} from generate_series(1, ${several}::integer) number`.execute(
        near.db,
      );
      expect(await revocationsOf(far).sweep()).toBe(several);
      expect(await listRecords()).toEqual([]);
    });

    test("of nothing is not written", async () => {
      await revocationsOf(near).record([]);
      expect(await listRecords()).toEqual([]);
    });
  });

  describe("the longest life of an access token decides how long a record is kept", () => {
    const keptSeconds = async (): Promise<number> => {
      await revocationsOf(near).record([sessionEnded("s")]);
      return ((await listRecords()).at(-1)?.expiresAt ?? 0) - now();
    };
    const clients = () =>
      createClients({
        db: near.db,
        clock,
        audit: createAudit({ db: near.db, clock }),
        revokeClientTokens: async () => {},
        accountIdsAmong: async () => new Set(),
      });
    const changeLife = (accessTokenSeconds: number) =>
      clients().changeResourceServer(ordersApi.identifier, { ...ordersApi, accessTokenSeconds });

    test("whoever raises, lowers or removes it", async () => {
      await clients().addResourceServer({ ...ordersApi, accessTokenSeconds: 3_600 });
      expect(await keptSeconds()).toBe(3_900);
      await changeLife(7_200);
      expect(await keptSeconds()).toBe(7_500);
      await changeLife(60);
      expect(await keptSeconds()).toBe(7_500);
      await clients().removeResourceServer(ordersApi.identifier);
      expect(await keptSeconds()).toBe(7_500);
    });

    test("and one that is past counts until its last token is over", async () => {
      await clients().addResourceServer({ ...ordersApi, accessTokenSeconds: DAY_SECONDS });
      await clients().removeResourceServer(ordersApi.identifier);
      clock.passSeconds(DAY_SECONDS);
      expect(await keptSeconds()).toBe(DAY_SECONDS + 300);
      clock.passSeconds(310);
      expect(await keptSeconds()).toBe(600);
      await revocationsOf(near).sweep();
      const { rows } = await sql`select * from access_token_lives`.execute(near.db);
      expect(rows).toEqual([]);
    });

    test("and one that comes back counts without an end", async () => {
      await clients().addResourceServer({ ...ordersApi, accessTokenSeconds: 3_600 });
      await changeLife(60);
      await changeLife(3_600);
      clock.passSeconds(DAY_SECONDS);
      expect(await keptSeconds()).toBe(3_900);
    });
  });

  describe("a log", () => {
    test("knows what was there when it started, and what another node adds after, as soon as it is told", async () => {
      await revocationsOf(near).record([sessionEnded("before")]);
      const log = await startLog(far);
      expect(log.isRevoked(tokenOf({ sid: "before" }))).toBe(true);
      expect(log.isRevoked(tokenOf({ sid: "after" }))).toBe(false);
      await revocationsOf(near).record([sessionEnded("after")]);
      // No look comes to its help: it was woken.
      await expect.poll(() => log.isRevoked(tokenOf({ sid: "after" }))).toBe(true);
      expect(log.lastId).toBe(2);
    });

    test("finds by looking what nobody told it of", async () => {
      const log = await startLog(far, { lookEveryMs: 5 });
      const { looks } = collect(log);
      await sql`insert into revocations (id, kind, value, expires_at) values (1, 'session', 'quiet', ${now() + 600})`.execute(
        near.db,
      );
      await sql`update revocation_feed set last_id = 1`.execute(near.db);
      await expect.poll(() => log.isRevoked(tokenOf({ sid: "quiet" }))).toBe(true);
      await expect.poll(() => looks.at(-1)).toBe(1);
    });

    test("has read, when catching up is over, what was committed when it was asked for", async () => {
      const log = await startLog(far);
      for (let round = 0; round < 50; round += 1) {
        // Always one look under way that began before the record was there.
        const begunBefore = log.catchUp();
        await revocationsOf(near).record([sessionEnded(`s${round}`)]);
        await log.catchUp();
        expect(log.isRevoked(tokenOf({ sid: `s${round}` }))).toBe(true);
        await begunBefore;
      }
    });

    test("forgets what has expired", async () => {
      const log = await startLog(far, { lookEveryMs: 5 });
      await revocationsOf(near).record([sessionEnded("s")]);
      await expect.poll(() => log.listAfter(0, 10).length).toBe(1);
      clock.passSeconds(611);
      await expect.poll(() => log.listAfter(0, 10).length).toBe(0);
      expect([log.keptAfterId, log.lastId]).toEqual([1, 1]);
      expect(log.isRevoked(tokenOf({ sid: "s" }))).toBe(false);
    });

    test("refuses everything before it has read, and while it knows of a kind that it does not understand", async () => {
      const unread = createRevocationLog({ database: far, clock, reportFailure: () => undefined });
      expect(unread.isRevoked(tokenOf({}))).toBe(true);
      await sql`insert into revocations (id, kind, value, expires_at) values (1, 'galaxy', 'x', ${now() + 600})`.execute(
        near.db,
      );
      await sql`update revocation_feed set last_id = 1`.execute(near.db);
      const log = await startLog(far);
      expect(log.isRevoked(tokenOf({}))).toBe(true);
      clock.passSeconds(600);
      expect(log.isRevoked(tokenOf({}))).toBe(false);
    });

    test("tells when the table went back, reads it anew, and lets nothing live again that was revoked", async () => {
      await revocationsOf(near).record([sessionEnded("kept"), sessionEnded("lost")]);
      const log = await startLog(far);
      const { read, losses } = collect(log);
      await sql`delete from revocations where id = 2`.execute(near.db);
      await sql`update revocation_feed set last_id = 1`.execute(near.db);
      await log.catchUp();
      expect(losses()).toBe(1);
      expect([log.lastId, log.keptAfterId]).toEqual([1, 1]);
      expect(read.map(({ value }) => value)).toEqual(["kept"]);
      expect(log.isRevoked(tokenOf({ sid: "lost" }))).toBe(true);
      expect(log.isRevoked(tokenOf({ sid: "alive" }))).toBe(false);
    });

    test("reads more than a page at once", async () => {
      const many = Array.from({ length: 11_003 }, (_, at) => sessionEnded(`s${at}`));
      await revocationsOf(near).record(many);
      const log = await startLog(far);
      expect(log.listAfter(0, 20_000).map(({ id }) => id)).toEqual(many.map((_, at) => at + 1));
      expect(log.listAfter(10_999, 2).map(({ id }) => id)).toEqual([11_000, 11_001]);
      expect(log.lastId).toBe(11_003);
    });
  });

  describe("under 200 parallel appenders on two nodes", () => {
    const APPENDERS = 200;
    class RolledBack extends Error {}

    /** Reads all the time, each time from where it was, as a feed that resumes does. */
    async function readOn(database: Database, isOver: () => boolean): Promise<readonly number[]> {
      const ids: number[] = [];
      const follower = {
        onRecords: (records: readonly Revocation[]) => void ids.push(...records.map(({ id }) => id)),
        onLook() {},
        onHistoryLost: () => expect.unreachable("nothing was lost"),
      };
      const log = await startLog(database, { follower });
      const lookOn = (): Promise<void> => log.catchUp().catch(() => undefined);
      while (!isOver()) {
        await lookOn();
        await turn();
      }
      await log.catchUp();
      return ids;
    }

    /** Some take their time until they commit, and some never do. Returns what was committed. */
    async function appendOnce(at: number): Promise<readonly string[]> {
      const database = at % 2 === 0 ? near : far;
      const [first, second] = [`s${at}`, `t${at}`];
      try {
        await database.db.transaction().execute(async (tx) => {
          await revocationsOf(database).append(tx, [sessionEnded(first), sessionEnded(second)]);
          if (at % 7 === 0) await sql`select pg_sleep(0.003)`.execute(tx);
          if (at % 10 === 3) throw new RolledBack();
        });
        return [first, second];
      } catch (error) {
        // On a machine that is busy the queue of appenders can be longer than anybody waits.
        return error instanceof RolledBack ? [] : appendOnce(at);
      }
    }

    test("numbers come in commit order: no reader misses one that was committed after a greater one", async () => {
      let isOver = false;
      const readers = [near, far].map((database) => readOn(database, () => isOver));
      const acknowledged = await Promise.all(Array.from({ length: APPENDERS }, (_, at) => appendOnce(at)));
      isOver = true;
      const records = await listRecords();
      const committed = records.map(({ id }) => id);
      expect(committed).toEqual(committed.map((_, at) => at + 1));
      expect(new Set(records.map(({ value }) => value))).toEqual(new Set(acknowledged.flat()));
      for (const ids of await Promise.all(readers)) expect(ids).toEqual(committed);
    });
  });
}
