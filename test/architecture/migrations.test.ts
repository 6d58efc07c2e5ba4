import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import { createMigrations } from "../../src/storage/index.ts";
import { openTestEmbedded } from "../support/stores.ts";

async function openInMemory() {
  const database = await openTestEmbedded("empty");
  onTestFinished(() => database.close());
  const listObjects = async (): Promise<readonly string[]> => {
    const { rows } = await sql<{ name: string }>`
      select relname::text as name from pg_class where relnamespace = 'public'::regnamespace
      union all
      select proname::text from pg_proc where pronamespace = 'public'::regnamespace
      order by 1`.execute(database.db);
    return rows.map(({ name }) => name).filter((name) => !name.startsWith("kysely_"));
  };
  return { migrations: createMigrations(database.db), listObjects };
}

test("migrations go up, down without a trace, and up again to the same tables", async () => {
  const { migrations, listObjects } = await openInMemory();
  const applied = await migrations.apply();
  const objects = await listObjects();
  await migrations.revertAll();
  expect(await listObjects()).toEqual([]);
  expect(await migrations.apply()).toEqual(applied);
  expect(await listObjects()).toEqual(objects);
  expect(objects).toContain("accounts");
});

test("nothing is pending after migrations were applied, and applying them again changes nothing", async () => {
  const { migrations } = await openInMemory();
  expect(await migrations.listPending()).not.toEqual([]);
  await migrations.apply();
  expect(await migrations.listPending()).toEqual([]);
  expect(await migrations.apply()).toEqual([]);
});
