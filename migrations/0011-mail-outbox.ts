import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [],
  sideBySide: true,
};

/** Mails that still have to leave: written with the change that they tell of. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw("drop table if exists mail_outbox").execute(db);
}

const STATEMENTS = [
  // id: random; the Message-ID is made of it, so that every try has the same. content: to whom, in which language and
  // with what, sealed, because there may be a link in it that opens an account. `tries` names the holder of a lease as
  // well: who finds another number has lost the row.
  `create table mail_outbox (
     id text primary key,
     kind text not null,
     content bytea not null,
     tries integer not null default 0,
     created_at timestamptz not null,
     due_at timestamptz not null,
     expires_at timestamptz not null
   )`,
  `create index mail_outbox_due_at on mail_outbox (due_at)`,
  `create index mail_outbox_expires_at on mail_outbox (expires_at)`,
];
