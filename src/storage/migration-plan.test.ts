import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openEmbedded } from "./database.ts";
import { planMigrations } from "./migration-plan.ts";
import { createMigrations } from "./migrations.ts";

const effects = { locks: [{ table: "accounts", kind: "rewrite" }], sideBySide: false };

let database: Database;

beforeAll(async () => {
  database = await openEmbedded(undefined);
}, 30_000);
afterAll(() => database.close());

test("what is pending, what is unknown and how large a locked table is", { timeout: 30_000 }, async () => {
  const { db } = database;
  const migrations = createMigrations(db);
  const before = await migrations.plan();
  expect(before).toMatchObject({ isNew: true, unknown: [] });
  expect(before.pending.map(({ name }) => name)).toEqual(await migrations.listPending());
  expect(before.pending[4]).toMatchObject({ locks: [{ table: "accounts", kind: "rewrite", bytes: undefined }] });

  await migrations.apply();
  expect(await migrations.plan()).toEqual({ pending: [], unknown: [], isNew: false });
  await sql`insert into kysely_migration (name, timestamp) values ('0099-later', '')`.execute(db);
  expect(await migrations.plan()).toMatchObject({ pending: [], unknown: ["0099-later"] });
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
