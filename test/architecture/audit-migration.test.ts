import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { createMigrations } from "../../src/storage/index.ts";
import { openTestEmbedded } from "../support/stores.ts";

const BEFORE = "0011-mail-outbox";
/** As they were named before, and what they are called since. */
const NAMES = {
  "account.profile_changed": "profile_changed",
  "account.registered": "account_registered",
  "sign_in.failed": "sign_in_failed",
  "factors.reset": "factors_reset",
  "factor.renamed": "factor_renamed",
  "recovery_codes.made": "recovery_codes_made",
  "recovery_code.used": "recovery_code_used",
  "signing_key.activated": "signing_key_rotated",
  "refresh_token.reuse_detected": "refresh_token_reused",
  "back_channel_logout.given_up": "back_channel_logout_given_up",
  "passkey.clone_suspected": "passkey_clone_suspected",
} as const;

test("events of before are carried over with their numbers and by their new names, and back", async () => {
  const database = await openTestEmbedded("empty");
  onTestFinished(() => database.close());
  const { db } = database;
  const migrations = createMigrations(db);
  await migrations.applyUpTo(BEFORE);
  for (const [at, name] of Object.keys(NAMES).entries()) {
    await sql`insert into audit_events (occurred_at, type, account_id, address, data)
      values (now() - ${at} * interval '40 days', ${name}, 'alice', ${at % 2 === 0 ? "192.0.2.1" : null}, '{"a": 1}')`.execute(
      db,
    );
  }
  const listed = async () =>
    (
      await sql<{ id: number; type: string }>`
      select id::int as id, occurred_at, type, account_id, address, data from audit_events order by 1`.execute(db)
    ).rows;
  const before = await listed();
  await migrations.apply();
  const after = before.map((row) => ({ ...row, type: NAMES[row.type as keyof typeof NAMES] }));
  expect(await listed()).toEqual(after);
  const { rows } = await sql<{ partitions: string; strays: string; salts: string }>`
    select count(distinct tableoid)::text as partitions, count(personal_salt)::text as salts,
      count(*) filter (where tableoid = to_regclass('audit_events_default'))::text as strays
    from audit_events`.execute(db);
  expect(rows[0]).toMatchObject({ strays: "0", salts: String(before.filter((_, at) => at % 2 === 0).length) });
  expect(Number(rows[0]?.partitions)).toBeGreaterThan(10);

  // A server of the version before runs on for a while.
  await sql`insert into audit_events (occurred_at, type) values (now(), 'token.revoked')`.execute(db);
  expect((await listed()).at(-1)).toMatchObject({ id: before.length + 1, type: "token_revoked" });

  await migrations.applyUpTo(BEFORE);
  expect(await listed()).toEqual([
    ...before,
    expect.objectContaining({ id: before.length + 1, type: "token.revoked" }),
  ]);
  await expect(sql`delete from audit_events`.execute(db)).rejects.toThrow("append-only");
});
