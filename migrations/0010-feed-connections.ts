import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [],
  sideBySide: true,
};

/** Who reads the revocation feed at which server, so that what one client may have holds over all of them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw("drop table if exists feed_connections").execute(db);
}

const STATEMENTS = [
  // One row a connection. It counts while its server's row in `nodes` does, and when it is young, because a server that
  // has just started may not have one yet. Unlogged: a connection does not outlive a crash of what it is written into by
  // long, and servers write theirs again.
  `create unlogged table feed_connections (
     id text primary key,
     node_id text not null,
     client_id text not null,
     opened_at timestamptz not null
   )`,
  "create index feed_connections_of_client on feed_connections (client_id)",
];
