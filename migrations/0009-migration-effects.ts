import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [],
  sideBySide: true,
};

/** What each later migration means to servers that do not know it: they read here whether they may run on. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw("drop table if exists migration_effects").execute(db);
}

const STATEMENTS = [
  // From this migration on, each is noted in the transaction that applies it. Those before need not be: whoever asks
  // knows them.
  `create table migration_effects (
     name text primary key,
     side_by_side boolean not null
   )`,
];
