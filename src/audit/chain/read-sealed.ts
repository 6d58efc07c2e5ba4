import { type Selectable, sql } from "kysely";
import { AppError } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import type { SealedAuditEvent } from "../event.ts";
import { refuseLimit, toStoredEvent } from "../stored-events.ts";
import type { AuditEventTable } from "../tables.ts";

export interface SealedRange {
  /** Only events behind this position; from the oldest that is kept when absent. */
  readonly after?: string | undefined;
  /** How many at most, from 1 to 1,000. */
  readonly limit: number;
}

export interface SealedPage {
  readonly events: readonly SealedAuditEvent[];
  /** Up to here all was read: what to go on behind. As given where there was nothing more. */
  readonly position: string;
}

const POSITION = /^\d{1,18}$/;

/**
 * Events in the order of the chain, for whoever must not miss one: none is ever put in before one that was read. They
 * come about a second behind what is committed; `SEALED_CHANNEL` wakes those who wait for more.
 *
 * @throws AppError INPUT_INVALID when `after` or `limit` is none.
 */
export async function readSealed(db: Db, { after = "0", limit }: SealedRange): Promise<SealedPage> {
  refuseLimit(limit);
  if (!POSITION.test(after)) throw new AppError("INPUT_INVALID", { detail: "after is not a position" });
  const places = await readPlaces(db, { after, limit });
  const ids = places.map(({ eventId }) => eventId);
  const { rows } = await sql<Selectable<AuditEventTable>>`
    select event.* from audit_events event where event.id = any(${ids}::bigint[])`.execute(db);
  const found = new Map(rows.map((row) => [String(row.id), row]));
  const events = places.flatMap(({ eventId, position, sealedAt }) => {
    // It may be gone by retention before its place is.
    const row = found.get(eventId);
    return row === undefined ? [] : [{ ...toStoredEvent(row), position, sealedAt }];
  });
  return { events, position: places.at(-1)?.position ?? after };
}

interface Place {
  readonly position: string;
  readonly sealedAt: Date;
  readonly eventId: string;
}

/** Positions have no gaps, but for the beginning that retention took: behind that, a range of them is a page. */
async function readPlaces(
  db: Db,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly Place[]> {
  const { rows } = await sql<Place>`
    select seal.position::text as position, seal.sealed_at as "sealedAt", seal.event_id::text as "eventId"
      from audit_seals seal
      where seal.position > ${after}::bigint and seal.position <= ${after}::bigint + ${limit}::int
      order by seal.position`.execute(db);
  if (rows.length > 0) return rows;
  const { rows: next } = await sql<{ position: string | null }>`
    select min(seal.position)::text as position from audit_seals seal where seal.position > ${after}::bigint`.execute(
    db,
  );
  const first = next[0]?.position ?? null;
  return first === null ? [] : readPlaces(db, { after: String(BigInt(first) - 1n), limit });
}

/** How far the chain has come: the position of its last event, "0" before the first. */
export async function readSealedPosition(db: Db): Promise<string> {
  const { rows } = await sql<{ position: string }>`select position::text as position from audit_chain`.execute(db);
  return rows[0]?.position ?? "0";
}

/** The position before the first event that was sealed from then on; that of the last, where there is none. */
export async function readPositionBefore(db: Db, since: Date): Promise<string> {
  const { rows } = await sql<{ position: string | null }>`
    select (min(position) - 1)::text as position from audit_seals where sealed_at >= ${since}::timestamptz`.execute(db);
  return rows[0]?.position ?? readSealedPosition(db);
}
