import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Database, openEmbedded } from "./database.ts";
import { planMigrations } from "./migration-plan.ts";
import { createMigrations } from "./migrations.ts";

const TIMEOUT_MS = 60_000;
const effects = { locks: [{ table: "accounts", kind: "rewrite" }], sideBySide: false };

let database: Database;

beforeAll(async () => {
  database = await openEmbedded(undefined);
}, TIMEOUT_MS);
afterAll(() => database.close());
// Each test begins with an empty database.
afterEach(async () => {
  await sql`delete from kysely_migration where name > '0099'`.execute(database.db);
  await createMigrations(database.db).revertAll();
}, TIMEOUT_MS);

test("what is pending, what is unknown and how large a locked table is", { timeout: TIMEOUT_MS }, async () => {
  const { db } = database;
  const migrations = createMigrations(db);
  const before = await migrations.plan();
  expect(before).toMatchObject({ isNew: true, unknown: [] });
  expect(before.pending.map(({ name }) => name)).toEqual(await migrations.listPending());
  expect(before.pending[4]).toMatchObject({ locks: [{ table: "accounts", kind: "rewrite", bytes: undefined }] });

  await migrations.apply();
  expect(await migrations.plan()).toEqual({ pending: [], unknown: [], isNew: false });
  await sql`insert into kysely_migration (name, timestamp) values ('0099-later', '')`.execute(db);
  expect(await migrations.plan()).toMatchObject({ pending: [], unknown: [{ name: "0099-later", sideBySide: false }] });
  const planned = await planMigrations(db, { "0100-next": { effects } });
  expect(planned.pending).toEqual([
    {
      name: "0100-next",
      locks: [{ table: "accounts", kind: "rewrite", bytes: expect.any(Number) }],
      sideBySide: false,
    },
  ]);
  expect(planned.pending[0]?.locks[0]?.bytes).toBeGreaterThan(0);
  await expect(planMigrations(db, { "0100-next": {} })).rejects.toThrow("expected object");
});

test(
  "what is applied is noted with what it means to servers that do not know it",
  { timeout: TIMEOUT_MS },
  async () => {
    const { db } = database;
    const migrations = createMigrations(db);
    await migrations.apply();
    const { rows } = await sql`select name, side_by_side from migration_effects order by name`.execute(db);
    expect(rows[0]).toEqual({ name: "0009-migration-effects", side_by_side: true });
    expect(await migrations.listNewer()).toEqual([]);
  },
);

test(
  "an older version applies nothing where a newer one was, and is refused where it would do harm",
  { timeout: TIMEOUT_MS },
  async () => {
    const { db } = database;
    const migrations = createMigrations(db);
    await migrations.apply();
    await sql`insert into kysely_migration (name, timestamp) values ('0099-a', ''), ('0100-b', '')`.execute(db);
    await sql`insert into migration_effects values ('0099-a', true), ('0100-b', false)`.execute(db);
    const refusal = { code: "DATABASE_NEWER", detail: expect.stringMatching(/^it has had 0100-b, which/) };
    await expect(migrations.listNewer()).rejects.toMatchObject(refusal);
    await expect(migrations.apply()).rejects.toMatchObject(refusal);

    await sql`update migration_effects set side_by_side = true`.execute(db);
    expect(await migrations.listNewer()).toEqual(["0099-a", "0100-b"]);
    expect(await migrations.apply()).toEqual([]);

    await sql`delete from migration_effects where name = '0100-b'`.execute(db);
    await expect(migrations.listNewer()).rejects.toMatchObject(refusal);
  },
);
