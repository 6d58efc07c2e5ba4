import { type Kysely, sql } from "kysely";

/** For `latchkey plan`. */
export const effects = {
  locks: [{ table: "resource_servers", kind: "short" }],
  // What the version before revokes is not in the record, and services would not hear of it.
  sideBySide: false,
};

/**
 * The record of what has been revoked, numbered in commit order. Times are whole seconds since the Unix epoch.
 *
 * `revocation_feed` is one row, and its lock is what puts appenders in order: a number is drawn under it, and it is held
 * until the commit, so that whoever sees a number sees every smaller one. A sequence's values come in no such order.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql.raw("drop trigger if exists resource_servers_access_token_lives on resource_servers").execute(db);
  await sql.raw("drop function if exists note_access_token_life").execute(db);
  await sql.raw("drop table if exists access_token_lives, revocations, revocation_feed").execute(db);
}

const STATEMENTS = [
  // epoch: how often everything was revoked at once. store_epoch: the epoch that began with the protocol store as it is
  // now; 0 before there ever was one. store_epoch_run: the run of the store that it began for, until the store is marked
  // with it. beat: counted in the store as well, so that one that was restored is behind.
  `create table revocation_feed (
     only_row boolean primary key default true check (only_row),
     last_id bigint not null default 0,
     epoch bigint not null default 0,
     store_epoch bigint not null default 0,
     store_epoch_run text,
     beat bigint not null default 0,
     beat_at bigint not null default 0
   )`,
  `insert into revocation_feed default values`,
  // audiences: whom it concerns; null is everybody.
  `create table revocations (
     id bigint primary key,
     kind text not null,
     value text not null,
     issued_before bigint,
     expires_at bigint not null,
     audiences text[]
   )`,
  `create index revocations_expires_at on revocations (expires_at)`,

  // How long access tokens live that may still be about. A life that was lowered or removed counts until the last token
  // with it is over: a revocation that is forgotten sooner lets such a token live again. The trigger sees to it whoever
  // changes a resource server.
  `create table access_token_lives (
     resource_server text not null,
     seconds integer not null,
     counts_until bigint,
     primary key (resource_server, seconds)
   )`,
  `create function note_access_token_life() returns trigger language plpgsql as $$
   declare
     old_seconds integer;
     new_seconds integer;
   begin
     if tg_op <> 'INSERT' then old_seconds := (old.metadata ->> 'accessTokenSeconds')::integer; end if;
     if tg_op <> 'DELETE' then new_seconds := (new.metadata ->> 'accessTokenSeconds')::integer; end if;
     if old_seconds is not null and old_seconds is distinct from new_seconds then
       update access_token_lives
         set counts_until = extract(epoch from clock_timestamp())::bigint + old_seconds + 300
         where resource_server = old.identifier and seconds = old_seconds;
     end if;
     if new_seconds is not null then
       insert into access_token_lives (resource_server, seconds) values (new.identifier, new_seconds)
         on conflict (resource_server, seconds) do update set counts_until = null;
     end if;
     return null;
   end $$`,
  `create trigger resource_servers_access_token_lives after insert or update or delete on resource_servers
     for each row execute function note_access_token_life()`,
  `insert into access_token_lives (resource_server, seconds)
     select identifier, (metadata ->> 'accessTokenSeconds')::integer from resource_servers
     where metadata ? 'accessTokenSeconds'`,
];
