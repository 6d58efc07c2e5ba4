import { sql } from "kysely";
import type { Clock } from "../core/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import type { OutboxTable } from "./outbox-table.ts";
import type { EndedRow, Settled } from "./settle.ts";

/** What waits to leave. */
export interface Backlog {
  readonly waiting: number;
  /** How long the oldest of them has been waiting; 0 when there is none. */
  readonly oldestSeconds: number;
}

export interface NewRow {
  /** What the receiver knows it by, however often it comes. */
  readonly id: string;
  readonly lane: string;
  readonly content: Uint8Array;
  readonly lifetimeSeconds: number;
}

export interface Outbox {
  /** Puts rows down in the transaction of the change that they tell of, whose commit wakes the workers. */
  put(tx: Db, rows: readonly NewRow[]): Promise<void>;
  /** Gives up what could not leave within its lifetime; returns how many, 500 at most. */
  sweep(): Promise<number>;
  readBacklog(): Promise<Backlog>;
}

export interface OutboxDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly table: OutboxTable;
  /** What else is written down, in the transaction that gives a row up. */
  readonly onGivenUp?: ((tx: Db, row: EndedRow) => Promise<void>) | undefined;
  readonly settled: (row: Settled) => void;
}

/** Not more at once than one short statement holds. */
const SWEPT_MAX = 500;

export function createOutbox({ db, clock, table, onGivenUp, settled }: OutboxDeps): Outbox {
  const name = sql.table(table.name);
  const lane = sql.ref(table.lane);
  return {
    async put(tx, rows) {
      if (rows.length === 0) return;
      const nowMs = clock.nowMs();
      const now = new Date(nowMs);
      const values = rows.map(({ id, lane: leavesBy, content, lifetimeSeconds }) => {
        const expiresAt = new Date(nowMs + lifetimeSeconds * 1_000);
        return sql`(${id}, ${leavesBy}, ${content}, ${now}::timestamptz, ${now}::timestamptz, ${expiresAt}::timestamptz)`;
      });
      await sql`
        insert into ${name} (id, ${lane}, content, created_at, due_at, expires_at) values ${sql.join(values)}`.execute(
        tx,
      );
      await sql`select pg_notify(${table.channel}, '')`.execute(tx);
    },

    sweep: () =>
      guardStore(async () => {
        const expired = await db.transaction().execute(async (tx) => {
          const rows = await takeExpired(tx, table, new Date(clock.nowMs()));
          for (const row of rows) await onGivenUp?.(tx, row);
          return rows;
        });
        for (const { lane: leftBy, tries, reason } of expired)
          settled({ lane: leftBy, tries, result: "expired", reason });
        return expired.length;
      }),

    readBacklog: () => guardStore(() => readBacklog(db, table, clock.nowMs())),
  };
}

interface ExpiredRow {
  readonly id: string;
  readonly lane: string;
  readonly content: Uint8Array;
  readonly tries: number;
  readonly created_at: Date;
}

async function takeExpired(tx: Db, table: OutboxTable, now: Date): Promise<readonly EndedRow[]> {
  const name = sql.table(table.name);
  const { rows } = await sql<ExpiredRow>`
    delete from ${name} where id in (
      select id from ${name} where expires_at <= ${now}::timestamptz
       limit ${SWEPT_MAX}::integer for update skip locked
    ) returning id, ${sql.ref(table.lane)} as lane, content, tries, created_at`.execute(tx);
  return rows.map(({ id, lane, content, tries, created_at: createdAt }) => ({
    id,
    lane,
    content,
    tries,
    createdAtMs: createdAt.getTime(),
    reason: "expired",
  }));
}

async function readBacklog(db: Db, table: OutboxTable, nowMs: number): Promise<Backlog> {
  const { rows } = await sql<{ waiting: number; oldest: Date | null }>`
    select count(*)::integer as waiting, min(created_at) as oldest from ${sql.table(table.name)}`.execute(db);
  const { waiting = 0, oldest = null } = rows[0] ?? {};
  const oldestSeconds = oldest === null ? 0 : Math.max(0, (nowMs - oldest.getTime()) / 1_000);
  return { waiting, oldestSeconds };
}
