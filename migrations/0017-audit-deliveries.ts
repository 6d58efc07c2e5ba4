import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [],
  sideBySide: true,
};

/** Where events of the audit log are sent: webhooks with what still has to leave for them, and how far the log's file is. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw("drop table if exists webhook_outbox, webhooks, audit_log_progress").execute(db);
}

const STATEMENTS = [
  // kinds: types of events; null, all of them. sealed_secrets: the secrets that sign, sealed with the id as context.
  // position: in the chain of the audit log; what is behind it has yet to be put into the outbox.
  `create table webhooks (
     id text primary key,
     url text not null,
     kinds jsonb,
     sealed_secrets bytea not null,
     position bigint not null,
     created_at timestamptz not null,
     last_success_at timestamptz,
     disabled_at timestamptz,
     disabled_reason text,
     check ((disabled_at is null) = (disabled_reason is null))
   )`,
  // content: the position of the event, and nothing of it: what is erased from the log leaves no copy here.
  `create table webhook_outbox (
     id text primary key,
     webhook_id text not null references webhooks (id) on delete cascade,
     content bytea not null,
     tries integer not null default 0,
     created_at timestamptz not null,
     due_at timestamptz not null,
     expires_at timestamptz not null
   )`,
  `create index webhook_outbox_webhook on webhook_outbox (webhook_id)`,
  `create index webhook_outbox_due_at on webhook_outbox (due_at)`,
  `create index webhook_outbox_expires_at on webhook_outbox (expires_at)`,
  // holder: the process that writes, until the time given or longer if it says so again.
  `create table audit_log_progress (
     only_row boolean primary key default true check (only_row),
     position bigint not null default 0,
     holder text,
     held_until timestamptz
   )`,
  `insert into audit_log_progress default values`,
];
