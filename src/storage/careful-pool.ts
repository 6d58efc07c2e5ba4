import type { PostgresPool, PostgresPoolClient } from "kysely";
import type pg from "pg";
import { stopwatchMs } from "../core/index.ts";
import { isBrokenConnection, isLateAnswer, isReadOnlyServer } from "./failures.ts";

/** Reads, locks nothing, and calls nothing that does something. Statements that write may begin with `with`. */
const SAFE_READ = /^select\s(?!.*\bfor\s+(?:no\s+key\s+update|update|share|key\s+share)\b)(?!.*\bpg_)/is;
/** What is left of the time for a statement at the least, when a connection was waited for. */
const QUERY_MS_MIN = 100;

export interface CarefulPoolOptions {
  /** How a connection is taken out of the pool. */
  readonly connect: () => Promise<pg.PoolClient>;
  /** What a statement may take together with the wait for its connection; 0: as long as it needs. */
  readonly queryTimeoutMs: number;
}

/**
 * A pool for a server that fails over, hangs, or is asked for more than it has connections:
 *
 * - A read that finds its connection broken is done once more, over one that was made since: it was waiting in the pool
 *   while the server was replaced, and that says nothing about the server that is there now. What writes is not repeated:
 *   whether it was carried out is not known.
 * - A connection to a server that only reads is given up: it leads to the one that was replaced. So is one that did not
 *   answer in time: it may lead to a host that is gone, which nothing but silence tells of.
 * - Waiting for a connection and for the answer have one deadline.
 */
export function carefulPool(pool: pg.Pool, { connect, queryTimeoutMs }: CarefulPoolOptions): PostgresPool {
  const madeAtMs = new WeakMap<object, number>();
  pool.on("connect", (client) => madeAtMs.set(client, stopwatchMs()));

  /** One of those that were made since then; the others, which broke as well or soon will, are given up. */
  async function connectAnew(sinceMs: number): Promise<pg.PoolClient> {
    for (;;) {
      const client = await connect();
      if ((madeAtMs.get(client) ?? 0) >= sinceMs) return client;
      client.release(true);
    }
  }

  /** One connection for as long as somebody has it; it may become another one before anything depends on it. */
  async function checkOut(): Promise<PostgresPoolClient> {
    const startedAtMs = stopwatchMs();
    let held: pg.PoolClient | undefined = await connect();
    let isFresh = true;
    let isUseless = false;

    async function send(text: string, values: readonly unknown[], timeoutMs: number): Promise<pg.QueryResult> {
      if (held === undefined) throw new Error("Connection terminated");
      try {
        // The driver takes a deadline with each statement; its types do not know of it.
        const config: pg.QueryConfig & { readonly query_timeout: number } = {
          text,
          values: [...values],
          query_timeout: timeoutMs,
        };
        return await held.query(config);
      } catch (error) {
        if (isReadOnlyServer(error) || isLateAnswer(error)) isUseless = true;
        throw error;
      }
    }

    async function sendFirst(text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
      const timeLeft = (): number =>
        queryTimeoutMs === 0 ? 0 : Math.max(QUERY_MS_MIN, queryTimeoutMs - (stopwatchMs() - startedAtMs));
      const sentAtMs = stopwatchMs();
      try {
        return await send(text, values, timeLeft());
      } catch (error) {
        if (!isBrokenConnection(error) || !SAFE_READ.test(text)) throw error;
        held?.release(true);
        held = undefined;
        held = await connectAnew(sentAtMs);
        return await send(text, values, timeLeft());
      }
    }

    function query(text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
      if (!isFresh) return send(text, values, queryTimeoutMs);
      isFresh = false;
      return sendFirst(text, values);
    }

    return {
      // kysely has a second way to ask, for cursors, which nobody here uses.
      query: query as unknown as PostgresPoolClient["query"],
      release(isToBeDestroyed = false) {
        held?.release(isToBeDestroyed || isUseless);
        held = undefined;
      },
    };
  }

  return { options: pool.options, connect: checkOut, end: () => pool.end() };
}
