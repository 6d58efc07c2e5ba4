import { CompiledQuery, Kysely, PGliteDialect } from "kysely";
import pg from "pg";
import { AppError, stopwatchMs } from "../core/index.ts";
import { CarefulDialect } from "./careful-dialect.ts";
import { carefulPool } from "./careful-pool.ts";
import { type Listener, listenOnPostgres } from "./listening.ts";
import { observeStatements, type StoreObserver } from "./store-observer.ts";

const CONNECT_TIMEOUT_MS = 800;
/** How long a request waits for a Postgres that hangs, before it is answered with 503. */
const QUERY_TIMEOUT_MS = 900;
const STATEMENT_TIMEOUT_MS = 5_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 5_000;
const PING_TIMEOUT_MS = 500;

/** A database that knows no tables: each folder widens it with its own by `withTables`. */
// oxlint-disable-next-line typescript/no-empty-object-type -- "no tables" is exactly what is meant
export type Db = Kysely<{}>;

export interface Database {
  readonly kind: "embedded" | "postgres";
  readonly db: Db;
  /** For migrations, which may take as long as they need: statements here have no deadline. */
  readonly patientDb: Db;
  /** A connection for who must keep up while requests take all others. For short statements, one at a time. */
  readonly followingDb: Db;
  /**
   * Calls `onWake` whenever something was sent to the channel (NOTIFY) or may have been missed. It never fails: while
   * the database is away nobody is woken. Closed with the database at the latest.
   */
  listen(channel: string, onWake: () => void): Listener;
  /** @throws AppError STORE_UNAVAILABLE within half a second when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface PostgresOptions {
  readonly url: string;
  readonly poolMax: number;
  /** Told of connections that broke while nobody was using them. */
  readonly onConnectionError: (error: Error) => void;
  readonly observer?: StoreObserver | undefined;
}

/** Opens a pool on a real Postgres, 15 or later. Every wait has an end: the server answers 503 instead of hanging. */
export function openPostgres(options: PostgresOptions): Database {
  const settings: pg.PoolConfig = {
    connectionString: options.url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
  };
  const pool = new pg.Pool({ ...settings, max: options.poolMax });
  // A pool of its own: a probe must not wait behind requests, nor take a connection from them.
  const pingPool = new pg.Pool({ ...settings, max: 1, query_timeout: PING_TIMEOUT_MS });
  const patientPool = new pg.Pool({ ...settings, max: 1, query_timeout: 0, statement_timeout: 0 });
  const followingPool = new pg.Pool({ ...settings, max: 1 });
  for (const each of [pool, pingPool, patientPool, followingPool]) reportErrors(each, options.onConnectionError);
  const db = openOn(pool, options.observer);
  const patientDb = openOn(patientPool);
  const followingDb = openOn(followingPool, options.observer);
  const listeners: Listener[] = [];
  return {
    kind: "postgres",
    db,
    patientDb,
    followingDb,
    listen(channel, onWake) {
      const { onConnectionError } = options;
      const listener = listenOnPostgres({ settings, channel, onWake, onConnectionError });
      listeners.push(listener);
      return listener;
    },
    async ping() {
      await pingPool.query("select 1").catch((cause: unknown) => {
        throw new AppError("STORE_UNAVAILABLE", { detail: "postgres does not answer", retryAfterSeconds: 5, cause });
      });
    },
    async close() {
      await Promise.all(listeners.map((listener) => listener.close()));
      await Promise.all([db.destroy(), patientDb.destroy(), followingDb.destroy(), pingPool.end()]);
    },
  };
}

function openOn(pool: pg.Pool, observer?: StoreObserver): Db {
  const queryTimeoutMs = pool.options.query_timeout ?? 0;
  const connect = observer === undefined ? () => pool.connect() : () => connectObserved(pool, observer);
  const dialect = new CarefulDialect({ pool: carefulPool(pool, { connect, queryTimeoutMs }) });
  return observer === undefined ? new Kysely({ dialect }) : new Kysely({ dialect, log: observeStatements(observer) });
}

/** Where no connection is to be had, no statement is sent that would tell of it. */
async function connectObserved(pool: pg.Pool, observer: StoreObserver): Promise<pg.PoolClient> {
  const startedAtMs = stopwatchMs();
  try {
    return await pool.connect();
  } catch (error) {
    observer.called({
      store: "postgres",
      operation: "connect",
      tookMs: stopwatchMs() - startedAtMs,
      isFailed: true,
    });
    throw error;
  }
}

/** A connection that breaks while it is in use tells only its own listeners, and without one it ends the process. */
function reportErrors(pool: pg.Pool, report: (error: Error) => void): void {
  pool.on("connect", (client) => client.on("error", report));
  // The same errors once more, of connections that were idle.
  pool.on("error", () => undefined);
}

/**
 * Opens the embedded Postgres in `directory`, or in memory when there is none. The directory must be locked first
 * (`lockDataDirectory`): PGlite itself lets two processes write to one directory.
 */
export async function openEmbedded(directory: string | undefined, observer?: StoreObserver): Promise<Database> {
  // Imported here: production would carry its 9 MB for nothing.
  const { PGlite } = await import("@electric-sql/pglite");
  const pglite = await PGlite.create(directory === undefined ? {} : { dataDir: directory });
  const log = observer === undefined ? [] : observeStatements(observer);
  const db: Db = new Kysely({ dialect: new PGliteDialect({ pglite }), log });
  return {
    kind: "embedded",
    db,
    patientDb: db,
    followingDb: db,
    listen(channel, onWake) {
      const listening = pglite.listen(channel, onWake).then((unlisten) => {
        onWake();
        return unlisten;
      });
      // Fails only when the database is closed before it has begun, and then nobody listens.
      listening.catch(() => undefined);
      return {
        async close() {
          const unlisten = await listening.catch(() => undefined);
          if (!pglite.closed) await unlisten?.();
        },
      };
    },
    async ping() {
      await db.executeQuery(CompiledQuery.raw("select 1"));
    },
    async close() {
      await db.destroy();
      if (!pglite.closed) await pglite.close();
    },
  };
}
