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
  // An event may be gone by retention before its seal is.
  const { rows } = await sql<Nullable<Selectable<AuditEventTable>> & { position: string; sealed_at: Date }>`
    select event.*, seal.position::text as position, seal.sealed_at from (
      select position, sealed_at, event_id, occurred_at from audit_seals
        where position > ${after}::bigint order by position limit ${limit}
    ) seal
    left join audit_events event on event.id = seal.event_id and event.occurred_at = seal.occurred_at
    order by seal.position`.execute(db);
  const events = rows.flatMap((row) =>
    isThere(row) ? [{ ...toStoredEvent(row), position: row.position, sealedAt: row.sealed_at }] : [],
  );
  return { events, position: rows.at(-1)?.position ?? after };
}

type Nullable<Row> = { readonly [Key in keyof Row]: Row[Key] | null };

function isThere<Row extends object>(row: Row): row is Row & Selectable<AuditEventTable> {
  return "id" in row && row.id !== null;
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
