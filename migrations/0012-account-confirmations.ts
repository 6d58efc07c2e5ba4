import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [{ table: "accounts", kind: "short" }],
  sideBySide: true,
};

/** What waits for somebody to prove that they read the mail of an address. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw("drop table if exists account_confirmations").execute(db);
}

const STATEMENTS = [
  // id: random, named by the page that asks for the code; nothing can be done with it alone. Neither the link's token nor
  // the code is here: the one is a keyed digest of the id, of the other there is one. email: as it was typed. account_id is
  // null where there is no account yet, and where somebody asked for an address that nobody has: that leads nowhere.
  `create table account_confirmations (
     id text primary key,
     purpose text not null check (purpose in ('registration', 'invitation', 'verification', 'email', 'email_undo', 'password_reset')),
     account_id text references accounts (id) on delete cascade,
     email text not null,
     email_folded text not null,
     leads_somewhere boolean not null,
     code_digest text,
     tries integer not null default 0,
     factor_proved boolean not null default false,
     interaction_uid text,
     restart_token text,
     created_at timestamptz not null,
     expires_at timestamptz not null
   )`,
  `create index account_confirmations_account on account_confirmations (account_id)`,
  `create index account_confirmations_email on account_confirmations (email_folded)`,
  `create index account_confirmations_expires_at on account_confirmations (expires_at)`,
];
