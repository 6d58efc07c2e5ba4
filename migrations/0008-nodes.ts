import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [],
  sideBySide: true,
};

/** What each running server says of itself, so that operators can see whether all are alike. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw("drop table if exists nodes").execute(db);
}

const STATEMENTS = [
  // One row a process, written every few seconds. last_seen_at is the database's own time: which node still runs does
  // not depend on what its clock says. report: one document, because nodes of several versions write it. Unlogged: what
  // runs now says so again at once, and neither a crash nor a backup has anything of it to keep.
  `create unlogged table nodes (
     id text primary key,
     started_at timestamptz not null,
     last_seen_at timestamptz not null,
     report jsonb not null
   )`,
];
