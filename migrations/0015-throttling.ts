import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [],
  // The version before counts in tables of its own: until it is gone, whoever guesses has the tries of both.
  sideBySide: true,
};

/** Consecutive failures of whoever proves who they are: what delays the next try, and ends them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw("drop table if exists consecutive_failures").execute(db);
}

const STATEMENTS = [
  // authenticator: what is guessed at. subject: an account, or ? and a digest of an address that no account has.
  // device: a known browser of the account, which has a count of its own, or nothing. refused: how many tries came
  // since the last one that was evaluated. expires_at: infinity when the count has reached its end.
  `create table consecutive_failures (
     authenticator text not null,
     subject text not null,
     device text not null,
     failures integer not null,
     refused integer not null,
     open_at timestamptz not null,
     expires_at timestamptz not null,
     primary key (subject, authenticator, device)
   )`,
  `create index consecutive_failures_expires_at on consecutive_failures (expires_at)`,
  `create index consecutive_failures_unknown on consecutive_failures (expires_at) where subject like '?%'`,
];
