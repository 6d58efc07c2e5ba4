import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [],
  sideBySide: true,
};

/** The tables of the first release, folder by folder. Times of the protocol are whole seconds since the Unix epoch. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `drop table if exists oidc_consents, oidc_sign_ins, oidc_state, oidc_dictionary, oidc_signing_keys,
         client_secrets, clients, resource_servers, account_throttle, accounts, audit_events`,
    )
    .execute(db);
  await sql.raw("drop function if exists audit_events_refuse_change").execute(db);
}

const STATEMENTS = [
  // accounts. The id is the `sub` of every token: random, never reused.
  `create table accounts (
     id text primary key,
     email text not null,
     email_folded text not null unique,
     email_verified boolean not null default false,
     name text not null,
     locale text,
     password_hash text not null,
     created_at timestamptz not null,
     updated_at timestamptz not null,
     disabled_at timestamptz
   )`,
  `create table account_throttle (
     key text primary key,
     points integer not null default 0,
     expire bigint
   )`,
  `create index account_throttle_expire on account_throttle (expire)`,

  // audit. Rows are added and never changed; the database itself sees to it.
  `create table audit_events (
     id bigint generated always as identity primary key,
     occurred_at timestamptz not null,
     type text not null,
     account_id text,
     client_id text,
     session_id text,
     request_id text,
     address text,
     data jsonb not null default '{}'
   )`,
  `create index audit_events_account on audit_events (account_id, id)`,
  `create function audit_events_refuse_change() returns trigger language plpgsql as
     $$ begin raise exception 'audit_events is append-only'; end $$`,
  `create trigger audit_events_append_only before update or delete on audit_events
     for each statement execute function audit_events_refuse_change()`,

  // clients
  `create table clients (
     id text primary key,
     name text not null,
     metadata jsonb not null,
     created_at timestamptz not null,
     updated_at timestamptz not null
   )`,
  `create table client_secrets (
     client_id text not null references clients (id) on delete cascade,
     secret_sha256 bytea not null,
     created_at timestamptz not null,
     expires_at timestamptz,
     primary key (client_id, secret_sha256)
   )`,
  `create table resource_servers (
     identifier text primary key,
     name text not null,
     metadata jsonb not null,
     created_at timestamptz not null,
     updated_at timestamptz not null
   )`,

  // oidc
  `create table oidc_signing_keys (
     kid text primary key,
     algorithm text not null,
     state text not null check (state in ('next', 'current', 'retired')),
     public_jwk jsonb not null,
     sealed_private_jwk bytea not null,
     created_at timestamptz not null,
     activated_at timestamptz,
     retired_at timestamptz
   )`,
  `create unique index oidc_signing_keys_current on oidc_signing_keys (algorithm) where state = 'current'`,
  // Protocol state where there is no Redis: one row per key, its fields in one document, so that one statement
  // compares and sets several of them.
  `create table oidc_state (
     key text primary key,
     fields jsonb not null,
     expires_at bigint not null
   )`,
  `create index oidc_state_expires_at on oidc_state (expires_at)`,
  `create table oidc_dictionary (
     digest bytea primary key,
     value text not null
   )`,
  `create table oidc_sign_ins (
     account_id text not null references accounts (id) on delete cascade,
     tag text not null,
     expires_at bigint not null,
     primary key (account_id, tag)
   )`,
  `create index oidc_sign_ins_expires_at on oidc_sign_ins (expires_at)`,
  `create table oidc_consents (
     account_id text not null references accounts (id) on delete cascade,
     client_id text not null references clients (id) on delete cascade,
     scopes jsonb not null,
     given_at timestamptz not null,
     primary key (account_id, client_id)
   )`,
];
