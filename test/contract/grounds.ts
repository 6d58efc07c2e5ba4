/**
 * The three stores that protocol state may lie in, as a suite needs them: opened over as many connections as it likes,
 * emptied, looked into, and grown old.
 */
import { Redis } from "ioredis";
import { sql } from "kysely";
import { expect } from "vitest";
import { type Clock, epochSeconds } from "../../src/core/index.ts";
import {
  createPostgresStore,
  createRedisStore,
  type ProtocolStore,
  sweepPostgresStore,
} from "../../src/oidc/adapter/index.ts";
import {
  connectRedis,
  createMigrations,
  type Database,
  type Db,
  openPostgres,
  openRedis,
} from "../../src/storage/index.ts";
import { createEmptyDatabase, createTableDatabase, createTestRedis, openTestEmbedded } from "../support/stores.ts";

export interface StoreConnection {
  readonly store: ProtocolStore;
  readonly db: Db;
}

export interface Ground {
  readonly kind: "redis" | "postgres" | "embedded";
  readonly clock: Clock;
  /** How often a race is run: embedded Postgres takes one statement at a time and can only show so much. */
  readonly raceRounds: number;
  /** A connection of its own; on embedded Postgres, which has only one, another store on the same. */
  connect(): Promise<StoreConnection>;
  listKeys(): Promise<readonly string[]>;
  /** The keys whose end is not within {@link LIFETIME_MAX_SECONDS}. */
  listUnending(): Promise<readonly string[]>;
  /** Every key and every value, one after the other. */
  dump(): Promise<Buffer>;
  /** Lets {@link BRIEF_SECONDS} pass, by the clock and by whatever the store itself goes by. */
  passBrief(): Promise<void>;
  /** Removes what has expired, as the running server does in the background. */
  sweep(): Promise<void>;
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** The life of what a test waits to see end. */
export const BRIEF_SECONDS = 1;
/** No test writes anything that should live longer. */
export const LIFETIME_MAX_SECONDS = 60 * 24 * 60 * 60;
const RACE_ROUNDS = 50;
const EXPIRY_WAIT_MAX_MS = 4_000;
const noteNothing = (): void => undefined;

export interface RedisGround extends Ground {
  /** How Redis keeps the key, and with how many bytes of memory. */
  weigh(key: string): Promise<{ encoding: unknown; bytes: number | null }>;
}

export async function openRedisGround(): Promise<RedisGround> {
  const [testRedis, testDatabase] = await Promise.all([createTestRedis(), createTableDatabase()]);
  const database = openPostgres({ url: testDatabase.url, poolMax: 4, onConnectionError: noteNothing });
  const clock = createMovableClock();
  const inspector = new Redis(testRedis.url);
  const opened: { disconnect(): void }[] = [inspector];
  const listKeys = async (): Promise<string[]> => inspector.keys("*");
  return {
    kind: "redis",
    clock,
    raceRounds: RACE_ROUNDS,
    async connect() {
      const redis = openRedis({ url: testRedis.url, onConnectionError: noteNothing });
      await connectRedis(redis);
      opened.push(redis);
      return { store: createRedisStore({ redis, clock }), db: database.db };
    },
    listKeys,
    async listUnending() {
      const keys = await listKeys();
      const secondsLeft = await Promise.all(keys.map((key) => inspector.ttl(key)));
      return keys.filter((_, at) => !isWithin(secondsLeft[at] ?? -1));
    },
    async dump() {
      const parts: Buffer[] = [];
      for (const key of await listKeys()) {
        const fields = Object.entries(await inspector.hgetallBuffer(key));
        parts.push(Buffer.from(key), ...fields.flatMap(([name, value]) => [Buffer.from(name), value]));
      }
      return Buffer.concat([...parts, await dumpTables(database.db)]);
    },
    async weigh(key) {
      return { encoding: await inspector.object("ENCODING", key), bytes: await inspector.memory("USAGE", key) };
    },
    async passBrief() {
      // Written after everything that it stands for, so that it is the last to go.
      await inspector.set("probe", "", "EX", BRIEF_SECONDS);
      await expect.poll(() => inspector.exists("probe"), { timeout: EXPIRY_WAIT_MAX_MS, interval: 20 }).toBe(0);
      clock.passSeconds(BRIEF_SECONDS);
    },
    async sweep() {
      await expect.poll(listKeys, { timeout: EXPIRY_WAIT_MAX_MS, interval: 20 }).toEqual([]);
    },
    clear: async () => void (await inspector.flushdb()),
    async close() {
      for (const client of opened) client.disconnect();
      await database.close();
      await Promise.all([testRedis.drop(), testDatabase.drop()]);
    },
  };
}

/** @param like how the database differs from an ordinary one, in words of SQL. */
export async function openPostgresGround(like = ""): Promise<Ground> {
  const testDatabase = like === "" ? await createTableDatabase() : await createEmptyDatabase(like);
  const opened: Database[] = [];
  const open = (): Database => {
    const database = openPostgres({ url: testDatabase.url, poolMax: 10, onConnectionError: noteNothing });
    opened.push(database);
    return database;
  };
  const { db } = open();
  if (like !== "") await createMigrations(db).apply();
  const clock = createMovableClock();
  return {
    ...tableGround(db, clock),
    kind: "postgres",
    raceRounds: RACE_ROUNDS,
    async connect() {
      const connection = open();
      return { store: createPostgresStore({ db: connection.db, clock }), db: connection.db };
    },
    async close() {
      await Promise.all(opened.map((database) => database.close()));
      await testDatabase.drop();
    },
  };
}

export async function openEmbeddedGround(): Promise<Ground> {
  const database = await openTestEmbedded();
  const { db } = database;
  const clock = createMovableClock();
  return {
    ...tableGround(db, clock),
    kind: "embedded",
    raceRounds: 5,
    connect: async () => ({ store: createPostgresStore({ db, clock }), db }),
    close: () => database.close(),
  };
}

interface MovableClock extends Clock {
  passSeconds(seconds: number): void;
}

/** Stands still until it is moved. */
function createMovableClock(): MovableClock {
  let nowMs = Date.now();
  return {
    nowMs: () => nowMs,
    passSeconds: (seconds) => void (nowMs += seconds * 1_000),
  };
}

type StateTables = { oidc_state: { key: string; fields: Record<string, string>; expires_at: string } };

const isWithin = (secondsLeft: number): boolean => secondsLeft >= 0 && secondsLeft <= LIFETIME_MAX_SECONDS;

function tableGround(db: Db, clock: MovableClock) {
  const state = db.withTables<StateTables>();
  return {
    clock,
    async listKeys() {
      const rows = await state.selectFrom("oidc_state").select("key").execute();
      return rows.map(({ key }) => key);
    },
    async listUnending() {
      const rows = await state.selectFrom("oidc_state").select(["key", "expires_at"]).execute();
      return rows.filter((row) => !isWithin(Number(row.expires_at) - epochSeconds(clock))).map(({ key }) => key);
    },
    async dump() {
      const rows = await state.selectFrom("oidc_state").select(["key", "fields"]).execute();
      const parts: Buffer[] = [];
      for (const { key, fields } of rows) {
        parts.push(Buffer.from(key));
        for (const [name, value] of Object.entries(fields)) parts.push(Buffer.from(name), Buffer.from(value, "base64"));
      }
      return Buffer.concat([...parts, await dumpTables(db)]);
    },
    async passBrief() {
      clock.passSeconds(BRIEF_SECONDS);
    },
    async sweep() {
      await sweepPostgresStore({ db, clock });
    },
    async clear() {
      await state.deleteFrom("oidc_state").execute();
    },
  };
}

type AsideTables = {
  oidc_dictionary: { value: string };
  sessions: { account_id: string; id: string };
};

/** What lies in Postgres whatever the store: the dictionary and the index. */
async function dumpTables(db: Db): Promise<Buffer> {
  const tables = db.withTables<AsideTables>();
  const texts = await tables.selectFrom("oidc_dictionary").select("value").execute();
  const signIns = await tables.selectFrom("sessions").select(["account_id", "id"]).execute();
  return Buffer.from(JSON.stringify([texts, signIns]));
}

/** Rows that the index of sign-ins points to. Several grounds may share no database, so that ids may repeat. */
export async function addAccount(db: Db, id: string): Promise<void> {
  const email = `${Buffer.from(id).toString("hex")}@example.com`;
  await sql`
    insert into accounts (id, email, email_folded, name, password_hash, password_changed_at, created_at, updated_at)
    values (${id}, ${email}, ${email}, 'A person', '-', now(), now(), now()) on conflict (id) do nothing`.execute(db);
}

export function secondsFromNow(clock: Clock, seconds: number): number {
  return epochSeconds(clock) + seconds;
}
