import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [
    { table: "accounts", kind: "short" },
    { table: "clients", kind: "short" },
    // Its rows are copied.
    { table: "oidc_sign_ins", kind: "rewrite" },
  ],
  // The version before reads the index that is dropped.
  sideBySide: false,
};

/**
 * Sessions take the place of the bare index of sign-ins, whose rows are carried over. A client notes since when what it
 * was granted counts.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS_BACK) await sql.raw(statement).execute(db);
}

/** How long a row of the index lived with the settings as they come: 14 days of session and 90 of offline grants. */
const INDEX_SECONDS = (14 + 90) * 24 * 60 * 60;

const STATEMENTS = [
  // One row a sign-in, written when it begins and when something of it ends, never per request. The id is the `sid` of
  // tokens. ended_grants: names of grants that ended before their time. What ended is dropped from the protocol store
  // afterwards; until `cleared` has caught up with `endings`, it may still be there. cleared_beat: the beat of the
  // deployment (revocation_feed) at that time, so that a store which lost a beat or two is cleared of these alone.
  `create table sessions (
     id text primary key,
     account_id text not null references accounts (id) on delete cascade,
     created_at timestamptz not null,
     expires_at timestamptz not null,
     client_id text,
     address text,
     device text,
     acr text,
     amr text[] not null default '{}',
     ended_at timestamptz,
     end_reason text,
     end_scope text check (end_scope in ('session', 'whole')),
     ended_grants text[] not null default '{}',
     endings integer not null default 0,
     cleared integer not null default 0,
     cleared_beat bigint not null default 0,
     check ((ended_at is null) = (end_reason is null) and (ended_at is null) = (end_scope is null))
   )`,
  `create index sessions_account on sessions (account_id, created_at)`,
  `create index sessions_expires_at on sessions (expires_at)`,
  `create index sessions_uncleared on sessions (id) where cleared < endings`,
  `create index sessions_cleared_beat on sessions (cleared_beat, id) where endings > 0`,
  `insert into sessions (id, account_id, created_at, expires_at)
     select tag, account_id, least(now(), to_timestamp(expires_at - ${INDEX_SECONDS})), to_timestamp(expires_at)
     from oidc_sign_ins on conflict (id) do nothing`,
  `drop table oidc_sign_ins`,
  `alter table clients add column grants_since timestamptz`,
];

const STATEMENTS_BACK = [
  `create table if not exists oidc_sign_ins (
     account_id text not null references accounts (id) on delete cascade,
     tag text not null,
     expires_at bigint not null,
     primary key (account_id, tag)
   )`,
  `create index if not exists oidc_sign_ins_expires_at on oidc_sign_ins (expires_at)`,
  `insert into oidc_sign_ins (account_id, tag, expires_at)
     select account_id, id, extract(epoch from expires_at)::bigint from sessions
     where end_scope is distinct from 'whole'`,
  `drop table sessions`,
  `alter table clients drop column grants_since`,
];
