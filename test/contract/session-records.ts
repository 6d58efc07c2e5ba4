/** What the tables say of sessions, for suites that look behind the doors. */
import { sql } from "kysely";
import type { Db } from "../../src/storage/index.ts";

export interface Record {
  readonly kind: string;
  readonly value: string;
  readonly audiences: readonly string[] | null;
}

/** Revocations in the order of their commits, beginning after the number `after`. */
export async function readRevocations(db: Db, after = "0"): Promise<readonly Record[]> {
  const { rows } = await sql<Record>`
    select kind, value, audiences from revocations where id > ${after}::bigint order by id`.execute(db);
  return rows;
}

export async function lastRevocation(db: Db): Promise<string> {
  const { rows } = await sql<{ id: string }>`select last_id::text as id from revocation_feed`.execute(db);
  return rows[0]?.id ?? "0";
}

export interface Row {
  readonly reason: string | null;
  readonly scope: string | null;
  readonly waiting: boolean;
}

export async function readRow(db: Db, id: string): Promise<Row | undefined> {
  const { rows } = await sql<Row>`
    select end_reason as reason, end_scope as scope, cleared < endings as waiting from sessions where id = ${id}`.execute(
    db,
  );
  return rows[0];
}

/** The types of the events of one session, oldest first. */
export async function readEvents(db: Db, sessionId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ type: string }>`
    select type from audit_events where session_id = ${sessionId} order by id`.execute(db);
  return rows.map(({ type }) => type);
}
