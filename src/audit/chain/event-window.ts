import { sql } from "kysely";
import type { Db } from "../../storage/index.ts";
import { microseconds } from "./digests.ts";

/** How many numbers are looked at together. */
export const WINDOW = 500n;

export interface EventWindow {
  /** In their order. */
  readonly events: readonly { readonly id: string; readonly occurredAt: string }[];
  /** All events up to this number are in this window, or were in one before. */
  readonly upTo: bigint;
}

/**
 * The next events behind a number, up to another. By a range of numbers, which is an index's work however large the table
 * is: asked for the first so many in order, the database may go through all that there is.
 */
export async function readWindow(db: Db, after: bigint, last: bigint): Promise<EventWindow> {
  const upTo = after + WINDOW < last ? after + WINDOW : last;
  const { rows: events } = await sql<EventWindow["events"][number]>`
    select event.id::text as id, ${microseconds("event.occurred_at")} as "occurredAt" from audit_events event
      where event.id > ${String(after)}::bigint and event.id <= ${String(upTo)}::bigint
      order by event.id`.execute(db);
  if (events.length > 0 || upTo >= last) return { events, upTo };
  // Months that were dropped leave a large gap.
  const { rows } = await sql<{ id: string | null }>`
    select min(event.id)::text as id from audit_events event where event.id > ${String(upTo)}::bigint`.execute(db);
  const next = BigInt(rows[0]?.id ?? last);
  return readWindow(db, next - 1n < last ? next - 1n : last, last);
}

/** Which of these events have a place in the chain, as `id occurredAt`. */
export async function readSealedOf(db: Db, { events }: EventWindow): Promise<ReadonlySet<string>> {
  const { rows } = await sql<EventWindow["events"][number]>`
    select seal.event_id::text as id, ${microseconds("seal.occurred_at")} as "occurredAt" from audit_seals seal
      where seal.event_id = any(${events.map(({ id }) => id)}::bigint[])`.execute(db);
  return new Set(rows.map(nameOf));
}

/** Both say which event it is: the database does not keep a number from being given twice. */
export function nameOf({ id, occurredAt }: EventWindow["events"][number]): string {
  return `${id} ${occurredAt}`;
}
