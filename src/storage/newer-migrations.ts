import { sql } from "kysely";
import { DEFAULT_MIGRATION_LOCK_TABLE, DEFAULT_MIGRATION_TABLE, type Migration } from "kysely/migration";
import { AppError } from "../core/index.ts";
import type { Db } from "./database.ts";
import { readEffects } from "./migration-effects.ts";

const EFFECTS_TABLE = "migration_effects";

/** What says which migrations a database has had. It comes with them, and belongs in no copy. */
export const MIGRATION_TABLES: readonly string[] = [
  DEFAULT_MIGRATION_TABLE,
  DEFAULT_MIGRATION_LOCK_TABLE,
  EFFECTS_TABLE,
];

/** A migration that a database has had and this version does not know. */
export interface NewerMigration {
  readonly name: string;
  /** Whether this version works on the tables as they are since, and does no harm; `false` where nobody has noted it. */
  readonly sideBySide: boolean;
}

/** The names of all that a database has had, oldest first. Asked of the table itself: the library lists only what it knows. */
export async function listAppliedMigrations(db: Db): Promise<readonly string[]> {
  if (!(await isThere(db, DEFAULT_MIGRATION_TABLE))) return [];
  const { rows } = await sql<{ name: string }>`
    select name from ${sql.table(DEFAULT_MIGRATION_TABLE)} order by name`.execute(db);
  return rows.map(({ name }) => name);
}

/** @param known the names of those that this version knows. */
export async function listNewerMigrations(db: Db, known: readonly string[]): Promise<readonly NewerMigration[]> {
  const newer = (await listAppliedMigrations(db)).filter((name) => !known.includes(name));
  if (newer.length === 0 || !(await isThere(db, EFFECTS_TABLE))) {
    return newer.map((name) => ({ name, sideBySide: false }));
  }
  const { rows } = await sql<NewerMigration>`
    select name, side_by_side as "sideBySide" from ${sql.table(EFFECTS_TABLE)}`.execute(db);
  const harmless = new Set(rows.filter(({ sideBySide }) => sideBySide).map(({ name }) => name));
  return newer.map((name) => ({ name, sideBySide: harmless.has(name) }));
}

/** @throws AppError DATABASE_NEWER when this version may not run on what a newer one has made of the database. */
export function refuseUnfit(newer: readonly NewerMigration[]): void {
  const unfit = newer.filter(({ sideBySide }) => !sideBySide).map(({ name }) => name);
  if (unfit.length === 0) return;
  const detail = `it has had ${unfit.join(", ")}, which this version does not know and may not run on: start the newer version, or restore the backup from before`;
  throw new AppError("DATABASE_NEWER", { detail });
}

/** The same migration, which also notes what it means to servers that do not know it; in its own transaction. */
export function notingEffects(name: string, migration: Migration): Migration {
  return {
    ...migration,
    async up(db) {
      await migration.up(db);
      if (!(await isThere(db, EFFECTS_TABLE))) return;
      const { sideBySide } = readEffects(migration);
      await sql`
        insert into ${sql.table(EFFECTS_TABLE)} (name, side_by_side) values (${name}, ${sideBySide})
          on conflict (name) do update set side_by_side = excluded.side_by_side`.execute(db);
    },
  };
}

async function isThere(db: Db, table: string): Promise<boolean> {
  const { rows } = await sql<{ isThere: boolean }>`
    select to_regclass(${table}) is not null as "isThere"`.execute(db);
  return rows[0]?.isThere === true;
}
