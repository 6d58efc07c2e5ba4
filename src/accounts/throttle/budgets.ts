import { type RawBuilder, sql } from "kysely";
import type { Clock } from "../../core/index.ts";
import { type Db, DELETE_BATCH, deleteInBatches } from "../../storage/index.ts";
import type { Budget } from "./limits.ts";

/** Whose failures are counted: an account's or nobody's, in a browser that is known to it or in none. */
export interface BudgetPlace {
  readonly subject: string;
  /** Empty for all browsers that are not known. */
  readonly device: string;
}

/** What is guessed at. */
export type Authenticator = "password" | "code";

export type BudgetVerdict =
  | {
      readonly verdict: "open";
      readonly place: BudgetPlace;
      /** Whether there is a wait when this one is wrong, too. */
      readonly startsWait: boolean;
      /** Whether nothing is evaluated then until the budget is released. */
      readonly isLast: boolean;
    }
  | {
      readonly verdict: "closed";
      readonly place: BudgetPlace;
      readonly retryAfterSeconds: number;
      /** Whether it is the first that was refused since the last one that was evaluated. */
      readonly isFirst: boolean;
      readonly isSpent: boolean;
    };

export interface BudgetAttempt {
  readonly authenticator: Authenticator;
  readonly budget: Budget;
  /** A query for one row with the columns `subject` and `device`. */
  readonly place: RawBuilder<BudgetPlace>;
}

/** Counts of consecutive failures in Postgres: they outlive every restart, of us and of Redis. */
export interface Budgets {
  /**
   * Counts an attempt as a failure and says whether it may be evaluated. To be called before: counting and comparing are
   * one statement, so that of any number of parallel attempts no more than the budget allows are evaluated. What is
   * refused does not count, and does not lengthen the wait.
   */
  count(attempt: BudgetAttempt): Promise<BudgetVerdict>;
  /** After a success: this place, and no other, begins anew. */
  forgive(db: Db, authenticator: Authenticator, place: BudgetPlace): Promise<void>;
  /** All places of a subject begin anew; returns whether any was at its end. */
  release(db: Db, authenticator: Authenticator, subjects: RawBuilder<unknown>): Promise<boolean>;
  /** Deletes what has expired, and of addresses that nobody has all but a million; returns how many. */
  sweep(): Promise<number>;
}

/** Stands before the digest of an address that no account has; no account's id begins so. */
export const UNKNOWN = "?";
const UNKNOWN_KEPT_MAX = 1_000_000;

export interface BudgetTable {
  authenticator: string;
  subject: string;
  device: string;
  failures: number;
  refused: number;
  open_at: Date;
  expires_at: Date;
}

const withTables = (db: Db) => db.$extendTables<{ consecutive_failures: BudgetTable }>();

/** A statement of our own, and not rate-limiter-flexible: it knows windows alone, and reads the system's time by itself. */
export function createBudgets({ db, clock }: { readonly db: Db; readonly clock: Clock }): Budgets {
  return {
    async count(attempt) {
      const { budget } = attempt;
      const nowMs = clock.nowMs();
      const { rows } = await countOne(attempt, new Date(nowMs)).execute(db);
      const [row] = rows;
      if (row === undefined) throw new Error("an attempt was not counted");
      const { subject, device, failures, refused, open_at: openAt } = row;
      const isLast = failures === budget.failuresMax;
      const place = { subject, device };
      if (refused === 0) return { verdict: "open", place, startsWait: isLast || openAt.getTime() > nowMs, isLast };
      const waitSeconds = isLast ? (budget.waitSeconds.at(-1) ?? 0) : Math.ceil((openAt.getTime() - nowMs) / 1_000);
      const retryAfterSeconds = Math.max(1, waitSeconds);
      return {
        verdict: "closed",
        place,
        retryAfterSeconds,
        isFirst: refused === 1,
        isSpent: isLast,
      };
    },
    async forgive(tx, authenticator, { subject, device }) {
      await withTables(tx)
        .deleteFrom("consecutive_failures")
        .where("subject", "=", subject)
        .where("authenticator", "=", authenticator)
        .where("device", "=", device)
        .execute();
    },
    async release(tx, authenticator, subjects) {
      const { rows } = await sql<{ is_spent: boolean }>`
        delete from consecutive_failures
          where authenticator = ${authenticator} and subject in (${subjects})
          returning expires_at = 'infinity' as is_spent`.execute(tx);
      return rows.some((row) => row.is_spent);
    },
    async sweep() {
      const expired = await deleteInBatches(() => deleteSomeExpired(db, new Date(clock.nowMs())));
      return expired + (await deleteInBatches(() => deleteSomeUnknown(db)));
    },
  };
}

/**
 * Where there is nothing to wait for, the time does not move: parallel attempts read the clock before they come to their
 * turn, and the one that read it first may be the last. What follows the first that was refused writes nothing: a flood
 * does not queue for one row.
 */
function countOne({ authenticator, budget, place }: BudgetAttempt, now: Date) {
  const { waitSeconds, failuresMax, quietSeconds } = budget;
  const waits = sql.raw(`'{${waitSeconds.join(",")}}'::integer[]`);
  const waitsCount = sql.raw(String(waitSeconds.length));
  const last = sql.raw(String(failuresMax));
  const quietUntil = new Date(now.getTime() + quietSeconds * 1_000);
  const waitUntil = (failures: RawBuilder<unknown>, before: RawBuilder<unknown>) =>
    sql`(select case when seconds = 0 then ${before} else ${now}::timestamptz + make_interval(secs => seconds) end
           from (select (${waits})[least(${failures}, ${waitsCount})] as seconds) as wait)`;
  const isOver = sql`budget.expires_at <= ${now}`;
  const isOpen = sql`(budget.open_at <= ${now} and budget.failures < ${last})`;
  return sql<Pick<BudgetTable, "subject" | "device" | "failures" | "refused" | "open_at">>`
    with place as (${place}),
    closed as (
      select subject, device, failures, refused + 1 as refused, open_at
        from consecutive_failures as budget join place using (subject, device)
        where authenticator = ${authenticator} and refused > 0 and not ${isOver} and not ${isOpen}),
    counted as (
    insert into consecutive_failures as budget
        (authenticator, subject, device, failures, refused, open_at, expires_at)
      select ${authenticator}, place.subject, place.device, 1, 0,
          ${waitUntil(sql`1`, sql`to_timestamp(0)`)}, ${quietUntil}::timestamptz
        from place where not exists (select from closed)
      on conflict (subject, authenticator, device) do update set
        failures = case when ${isOver} then 1 when ${isOpen} then budget.failures + 1 else budget.failures end,
        refused = case when ${isOver} or ${isOpen} then 0 else budget.refused + 1 end,
        open_at = case
          when ${isOver} then excluded.open_at
          when ${isOpen} then ${waitUntil(sql`budget.failures + 1`, sql`budget.open_at`)}
          else budget.open_at end,
        expires_at = case
          when ${isOver} then excluded.expires_at
          when ${isOpen} and budget.failures + 1 < ${last} then excluded.expires_at
          when ${isOpen} then 'infinity'
          else budget.expires_at end
      returning subject, device, failures, refused, open_at)
    select * from counted union all select * from closed`;
}

async function deleteSomeExpired(db: Db, now: Date): Promise<bigint> {
  const { numAffectedRows = 0n } = await sql`
    delete from consecutive_failures where (subject, authenticator, device) in
        (select subject, authenticator, device from consecutive_failures
           where expires_at <= ${now} limit ${sql.raw(String(DELETE_BATCH))})
      and expires_at <= ${now}`.execute(db);
  return numAffectedRows;
}

/** Whoever invents addresses pays for each with an attempt that is evaluated; the store has an end all the same. */
async function deleteSomeUnknown(db: Db): Promise<bigint> {
  const { numAffectedRows = 0n } = await sql`
    delete from consecutive_failures where (subject, authenticator, device) in
        (select subject, authenticator, device from consecutive_failures
           where subject like '?%' order by expires_at desc
           offset ${sql.raw(String(UNKNOWN_KEPT_MAX))} limit ${sql.raw(String(DELETE_BATCH))})`.execute(db);
  return numAffectedRows;
}

/** Whoever is deleted, or helped by an operator, has failed nowhere; returns how many counts there were. */
export async function forgetFailures(tx: Db, accountId: string): Promise<bigint> {
  const query = withTables(tx).deleteFrom("consecutive_failures").where("subject", "=", accountId);
  return (await query.executeTakeFirst()).numDeletedRows;
}
