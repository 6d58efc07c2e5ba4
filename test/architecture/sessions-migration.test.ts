import { type Kysely, sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import * as firstTables from "../../migrations/0001-first-tables.ts";
import * as sessions from "../../migrations/0002-sessions.ts";
import { openTestEmbedded } from "../support/stores.ts";

const DAY_SECONDS = 24 * 60 * 60;

async function openFirstRelease(): Promise<Kysely<unknown>> {
  const database = await openTestEmbedded("empty");
  onTestFinished(() => database.close());
  const db = database.db as Kysely<unknown>;
  await firstTables.up(db);
  await sql`
    insert into accounts (id, email, email_folded, name, password_hash, created_at, updated_at)
    values ('alice', 'a@example.com', 'a@example.com', 'Alice', '-', now(), now())`.execute(db);
  return db;
}

test("the sign-ins of the first release are carried over into sessions, and back", async () => {
  const db = await openFirstRelease();
  const endsAt = Math.floor(Date.now() / 1000) + 100 * DAY_SECONDS;
  await sql`insert into oidc_sign_ins (account_id, tag, expires_at) values ('alice', 'tag-1', ${endsAt})`.execute(db);
  await sessions.up(db);
  const { rows } = await sql<{ id: string; account_id: string; ends: number; days: number; end_scope: null }>`
    select id, account_id, end_scope, extract(epoch from expires_at)::float as ends,
           extract(epoch from now() - created_at)::float / ${DAY_SECONDS} as days
    from sessions`.execute(db);
  expect(rows).toEqual([
    { id: "tag-1", account_id: "alice", end_scope: null, ends: endsAt, days: expect.closeTo(4, 2) },
  ]);
  await sql`
    insert into sessions (id, account_id, created_at, expires_at, ended_at, end_reason, end_scope)
    values ('tag-2', 'alice', now(), now() + interval '1 day', now(), 'signed_out', 'whole')`.execute(db);
  await sessions.down(db);
  const back = await sql`select account_id, tag, expires_at::float as ends from oidc_sign_ins`.execute(db);
  expect(back.rows).toEqual([{ account_id: "alice", tag: "tag-1", ends: endsAt }]);
});

test("a session's end is whole or not there: when, why and how much of it go together", async () => {
  const db = await openFirstRelease();
  await sessions.up(db);
  const halfEnded = sql`
    insert into sessions (id, account_id, created_at, expires_at, end_scope)
    values ('tag-3', 'alice', now(), now(), 'whole')`.execute(db);
  await expect(halfEnded).rejects.toThrow(/check/);
});
