import { sql } from "kysely";
import type { Db } from "../storage/index.ts";
import type { OutboxTable } from "./outbox-table.ts";

/** A row that this node holds until its lease runs out. */
export interface ClaimedRow {
  readonly id: string;
  readonly lane: string;
  readonly content: Uint8Array;
  /** How many tries there were, this one included. The row is ours for as long as it says the same. */
  readonly tries: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** How many rows may be taken from some lanes together. */
export interface LaneGroup {
  readonly lanes: readonly string[];
  readonly places: number;
}

export interface ClaimOptions {
  readonly nowMs: number;
  /** For how long no other node takes what this one took. */
  readonly leaseMs: number;
  readonly groups: readonly LaneGroup[];
}

interface Row {
  readonly id: string;
  readonly lane: string;
  readonly content: Uint8Array;
  readonly tries: number;
  readonly created_at: Date;
  readonly expires_at: Date;
}

/** Takes what is due, so that no other node does. Lanes that are in no group are left to whoever knows them. */
export async function claimDue(db: Db, table: OutboxTable, options: ClaimOptions): Promise<readonly ClaimedRow[]> {
  const now = new Date(options.nowMs);
  const [name, lane] = [sql.table(table.name), sql.ref(table.lane)];
  const { rows } = await sql<Row>`
    with taken as (
      select due.id from jsonb_to_recordset(${JSON.stringify(options.groups)}::jsonb) as chosen(lanes jsonb, places integer)
       cross join lateral (
         select id from ${name}
          where due_at <= ${now}::timestamptz and expires_at > ${now}::timestamptz
            and chosen.lanes @> to_jsonb(${lane})
          order by due_at limit chosen.places for update skip locked
       ) as due
    )
    update ${name} as held
       set due_at = ${new Date(options.nowMs + options.leaseMs)}::timestamptz, tries = held.tries + 1
      from taken where held.id = taken.id
    returning held.id, held.${lane} as lane, held.content, held.tries, held.created_at, held.expires_at`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    lane: row.lane,
    content: row.content,
    tries: row.tries,
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
  }));
}
