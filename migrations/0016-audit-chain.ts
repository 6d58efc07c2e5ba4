import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  // Its rows are copied.
  locks: [{ table: "audit_events", kind: "rewrite" }],
  // What the version before writes is taken, and its names of events are put right as they come.
  sideBySide: true,
};

/**
 * The audit log in partitions of a month, with who acted and on what device; the chain that its events are sealed into,
 * and signed checkpoints of that. Names of events are one word since.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS_BACK) await sql.raw(statement).execute(db);
}

/** Those that are not just the old name with another character between its words. */
const RENAMED = {
  "account.profile_changed": "profile_changed",
  "account.password_changed": "password_changed",
  "account.password_change_failed": "password_change_failed",
  "signing_key.activated": "signing_key_rotated",
  "authorization_code.reuse_detected": "authorization_code_reused",
  "refresh_token.reuse_detected": "refresh_token_reused",
} as const satisfies Record<string, string>;

/** What has a dot, by its new name. */
const NEW_NAME = `case type ${Object.entries(RENAMED)
  .map(([before, after]) => `when '${before}' then '${after}'`)
  .join(" ")} else replace(type, '.', '_') end`;

/** By their first words: what follows is the same with `.` before it. */
const FIRST_WORDS = [
  "authorization_code",
  "back_channel_logout",
  "recovery_codes",
  "recovery_code",
  "resource_server",
  "refresh_token",
  "signing_key",
  "sign_in",
  "factors",
  "account",
  "consent",
  "passkey",
  "session",
  "client",
  "factor",
  "epoch",
  "token",
];

const OLD_NAME = `case type ${Object.entries(RENAMED)
  .map(([before, after]) => `when '${after}' then '${before}'`)
  .join(" ")} else regexp_replace(type, '^(${FIRST_WORDS.join("|")})_', '\\1.') end`;

/** How many months there are partitions for beforehand, beside the one that is. */
const MONTHS_AHEAD = 2;

const MAKE_OLD_WAY = [
  "alter table audit_events rename to audit_events_before",
  "alter table audit_events_before rename constraint audit_events_pkey to audit_events_before_pkey",
  "alter index audit_events_account rename to audit_events_before_account",
  "alter sequence audit_events_id_seq rename to audit_events_before_id_seq",
];

const STATEMENTS = [
  ...MAKE_OLD_WAY,

  "create sequence audit_events_id_seq",
  // id: drawn once the transaction has its own number, and never before: so that who knows that all transactions up to
  // some number are over knows the same of all ids that were drawn by then (src/audit/chain/seal-pass.ts).
  // personal_salt: what the digest of address and device is made with; it is erased together with them.
  `create table audit_events (
     id bigint not null default
       case when pg_current_xact_id() is not null then nextval('audit_events_id_seq') end,
     occurred_at timestamptz not null,
     type text not null,
     actor text,
     account_id text,
     client_id text,
     session_id text,
     request_id text,
     address text,
     device text,
     personal_salt bytea,
     data jsonb not null default '{}',
     primary key (id, occurred_at)
   ) partition by range (occurred_at)`,
  "alter sequence audit_events_id_seq owned by audit_events.id",
  "create index audit_events_account on audit_events (account_id, id)",
  // Whose events have to be without what identified the person.
  "create index audit_events_deletions on audit_events (occurred_at) where type = 'account_deleted'",

  // One row an event, in the order of the chain. hash: over the one before, the position, the time and the digest.
  // personal_digest: of address and device, where there were any.
  `create table audit_seals (
     position bigint not null,
     sealed_at timestamptz not null,
     event_id bigint not null,
     occurred_at timestamptz not null,
     personal_digest bytea,
     digest bytea not null,
     hash bytea not null,
     primary key (position, sealed_at)
   ) partition by range (sealed_at)`,
  "create index audit_seals_event on audit_seals (event_id)",

  // settled_id: events up to it are sealed, or will never be there.
  `create table audit_chain (
     only_row boolean primary key default true check (only_row),
     position bigint not null default 0,
     hash bytea not null default '\\x',
     sealed_at timestamptz,
     settled_id bigint not null default 0
   )`,
  "insert into audit_chain default values",

  // statement: what was signed, as it was signed. `anchor`: where the chain begins that is still kept.
  `create table audit_checkpoints (
     kind text not null check (kind in ('checkpoint', 'anchor')),
     position bigint not null,
     statement text not null,
     signature bytea not null,
     created_at timestamptz not null,
     primary key (kind, position)
   )`,
  // sealed_private_key: sealed under LATCHKEY_SECRET, with the id as context.
  `create table audit_keys (
     id text primary key,
     public_key bytea not null,
     sealed_private_key bytea not null,
     created_at timestamptz not null
   )`,

  `create or replace function audit_events_refuse_change() returns trigger language plpgsql as
     $$ begin raise exception 'the audit log is append-only'; end $$`,
  // The one change that there is: what identifies a person who was deleted goes.
  `create function audit_events_allow_erasure() returns trigger language plpgsql as $$
   begin
     if new.address is null and new.device is null and new.personal_salt is null
       and (to_jsonb(new) - array['address', 'device', 'personal_salt'])
         = (to_jsonb(old) - array['address', 'device', 'personal_salt'])
       and exists (select from audit_events where account_id = old.account_id and type = 'account_deleted')
     then return new; end if;
     raise exception 'the audit log is append-only';
   end $$`,
  // Servers of the version before may run on for a while.
  `create function audit_events_rename_type() returns trigger language plpgsql as $$
   declare
     type text := new.type;
   begin
     new.type := ${NEW_NAME};
     return new;
   end $$`,
  `create trigger audit_events_old_names before insert on audit_events
     for each row when (new.type like '%.%') execute function audit_events_rename_type()`,
  `create trigger audit_events_erasure_only before update on audit_events
     for each row execute function audit_events_allow_erasure()`,
  `create trigger audit_events_append_only before delete on audit_events
     for each row execute function audit_events_refuse_change()`,
  `create trigger audit_seals_append_only before update or delete on audit_seals
     for each row execute function audit_events_refuse_change()`,

  // Of a statement such as TRUNCATE a partition hears only by a trigger of its own.
  `create function audit_guard_partition(name text) returns void language plpgsql as $$
   begin
     execute format('create trigger audit_no_truncate before truncate on %I
       for each statement execute function audit_events_refuse_change()', name);
   end $$`,
  // Whatever no month is there for is taken all the same.
  `create function audit_add_default(parent text) returns void language plpgsql as $$
   begin
     execute format('create table %I partition of %I default', parent || '_default', parent);
     perform audit_guard_partition(parent || '_default');
   end $$`,
  // Attached rather than made in its place: that locks out nobody. Rows of the month that came before it did are moved.
  `create function audit_add_month(parent text, time_column text, month date) returns void language plpgsql as $$
   declare
     name text := parent || to_char(month, '_YYYY_MM');
     begins timestamptz := month::timestamp at time zone 'UTC';
     ends timestamptz := (month + interval '1 month') at time zone 'UTC';
     has_strays boolean;
   begin
     if to_regclass(quote_ident(name)) is not null then return; end if;
     execute format('select exists (select from %I where %I >= $1 and %I < $2)',
       parent || '_default', time_column, time_column) into has_strays using begins, ends;
     if has_strays then
       execute format('lock table %I in access exclusive mode', parent);
       execute format('alter table %I detach partition %I', parent, parent || '_default');
       execute format('alter table %I rename to %I', parent || '_default', parent || '_strays');
       execute format('drop trigger audit_no_truncate on %I', parent || '_strays');
       execute format('alter table %I rename constraint %I to %I', parent || '_strays',
         parent || '_default_pkey', parent || '_strays_pkey');
       perform audit_add_default(parent);
     end if;
     execute format('create table %I (like %I including defaults including constraints)', name, parent);
     perform audit_guard_partition(name);
     execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, name, begins, ends);
     if has_strays then
       execute format('insert into %I select * from %I', parent, parent || '_strays');
       execute format('drop table %I', parent || '_strays');
     end if;
   end $$`,
  `create function audit_add_month(month date) returns void language plpgsql as $$
   begin
     perform audit_add_month('audit_events', 'occurred_at', month);
     perform audit_add_month('audit_seals', 'sealed_at', month);
   end $$`,

  "select audit_add_default('audit_events'), audit_add_default('audit_seals')",
  "select audit_guard_partition('audit_events'), audit_guard_partition('audit_seals')",
  `select audit_add_month('audit_events', 'occurred_at', month) from (
     select distinct date_trunc('month', occurred_at at time zone 'UTC')::date as month from audit_events_before
     where occurred_at > now() - interval '10 years' and occurred_at < now() + interval '1 month'
   ) months order by month`,
  `select audit_add_month((date_trunc('month', now() at time zone 'UTC') + ahead * interval '1 month')::date)
     from generate_series(0, ${MONTHS_AHEAD}) ahead`,

  `insert into audit_events
       (id, occurred_at, type, account_id, client_id, session_id, request_id, address, personal_salt, data)
     select id, occurred_at, ${NEW_NAME}, account_id, client_id, session_id, request_id, address,
       case when address is not null then uuid_send(gen_random_uuid()) end, data
     from audit_events_before`,
  `select setval('audit_events_id_seq', last_value, is_called) from audit_events_before_id_seq`,
  "drop table audit_events_before",
];

const STATEMENTS_BACK = [
  ...MAKE_OLD_WAY,
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
  `insert into audit_events (id, occurred_at, type, account_id, client_id, session_id, request_id, address, data)
     overriding system value
     select id, occurred_at, ${OLD_NAME}, account_id, client_id, session_id, request_id, address, data
     from audit_events_before`,
  `select setval('audit_events_id_seq', last_value, is_called) from audit_events_before_id_seq`,
  "drop table audit_events_before, audit_seals, audit_chain, audit_checkpoints, audit_keys",
  `drop function audit_add_month(date), audit_add_month(text, text, date), audit_add_default, audit_guard_partition,
     audit_events_rename_type, audit_events_allow_erasure`,
  "create index audit_events_account on audit_events (account_id, id)",
  `create or replace function audit_events_refuse_change() returns trigger language plpgsql as
     $$ begin raise exception 'audit_events is append-only'; end $$`,
  `create trigger audit_events_append_only before update or delete on audit_events
     for each statement execute function audit_events_refuse_change()`,
];
