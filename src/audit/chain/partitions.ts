import { sql } from "kysely";
import type { Clock } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import { lockChain } from "./chain-lock.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Beside the month that is: so that nobody has to be at work when one begins. */
const MONTHS_AHEAD = 2;
/** Of what came before its month was there. A clock that is wrong may have named any. */
const STRAY_MONTHS_MAX = 12;
/** Whoever appends waits behind us while we wait for a lock: sooner than that, we try again in a minute. */
const LOCK_TIMEOUT = "300ms";
const LOCK_NOT_AVAILABLE = "55P03";

/** Both are parted by months, each by a time of its own. */
export const PARTED = { events: "audit_events", seals: "audit_seals" } as const;

/** A month in UTC: `2026-11`. */
export type Month = string;

export function monthOf(ms: number): Month {
  return new Date(ms).toISOString().slice(0, 7);
}

export function startOf(month: Month): Date {
  return new Date(`${month}-01T00:00:00Z`);
}

function monthAfter(month: Month, count = 1): Month {
  const start = startOf(month);
  return monthOf(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + count));
}

/** The time since which events are kept: months that have been over for long enough are dropped whole. */
export function keptSince(nowMs: number, retentionDays: number): Date {
  return startOf(monthOf(nowMs - retentionDays * DAY_MS));
}

/** Oldest first. */
export async function listMonths(db: Db, parent: string): Promise<readonly Month[]> {
  const { rows } = await sql<{ name: string }>`
    select relname::text as name from pg_inherits join pg_class on pg_class.oid = inhrelid
      where inhparent = to_regclass(${parent}) order by 1`.execute(db);
  return rows.flatMap(({ name }) => {
    const [, year, month] = /_(\d{4})_(\d{2})$/.exec(name) ?? [];
    return year === undefined ? [] : [`${year}-${month}`];
  });
}

export function partitionOf(parent: string, month: Month): string {
  return `${parent}_${month.replace("-", "_")}`;
}

/** Makes the partitions of the months to come, and of months that events came for before there was one. */
export async function addMonths(db: Db, clock: Clock): Promise<void> {
  const now = monthOf(clock.nowMs());
  const ahead = Array.from({ length: MONTHS_AHEAD + 1 }, (_, count) => monthAfter(now, count));
  const strays = [
    ...(await listStrayMonths(db, PARTED.events, "occurred_at")),
    ...(await listStrayMonths(db, PARTED.seals, "sealed_at")),
  ];
  const there = [await listMonths(db, PARTED.events), await listMonths(db, PARTED.seals)];
  const missing = ahead.filter((month) => there.some((months) => !months.includes(month)));
  for (const month of new Set([...missing, ...strays])) {
    await inShortLock(db, async (tx) => {
      await lockChain(tx);
      await sql`select audit_add_month(${`${month}-01`}::date)`.execute(tx);
    });
  }
}

async function listStrayMonths(db: Db, parent: string, column: string): Promise<readonly Month[]> {
  const { rows } = await sql<{ month: Month }>`
    select distinct to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM') as month
      from ${sql.table(`${parent}_default`)} order by 1 limit ${STRAY_MONTHS_MAX}`.execute(db);
  return rows.map(({ month }) => month);
}

/** Does nothing, until the next time, where others hold what it needs. */
export async function inShortLock(db: Db, change: (tx: Db) => Promise<void>): Promise<void> {
  try {
    await db.transaction().execute(async (tx) => {
      await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(tx);
      await change(tx);
    });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === LOCK_NOT_AVAILABLE)) throw error;
  }
}
