import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [],
  sideBySide: true,
};

/** Logout tokens that still have to reach their app: one row for a session that ended and an app that it was used in. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw("drop table if exists back_channel_logouts").execute(db);
}

const STATEMENTS = [
  // No reference to clients: removing one must not make a sign-out of that moment fail. What is left of it is dropped.
  // `tries` names the holder of a lease as well: who finds another number has lost the row.
  `create table back_channel_logouts (
     id bigint generated always as identity primary key,
     client_id text not null,
     account_id text not null,
     session_id text not null,
     host text not null,
     tries integer not null default 0,
     due_at timestamptz not null,
     expires_at timestamptz not null,
     unique (session_id, client_id)
   )`,
  `create index back_channel_logouts_due on back_channel_logouts (host, due_at)`,
  `create index back_channel_logouts_expires_at on back_channel_logouts (expires_at)`,
];
