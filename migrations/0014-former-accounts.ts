import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [],
  sideBySide: true,
};

/**
 * Ids of accounts that were deleted, as digests. Our own ids are random and never come again; since accounts can be
 * imported with the id that they had elsewhere, it has to be known which were somebody's.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(`create table former_accounts (id_sha256 bytea primary key)`).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw("drop table if exists former_accounts").execute(db);
}
