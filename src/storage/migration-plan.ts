import { sql } from "kysely";
import { DEFAULT_MIGRATION_TABLE } from "kysely/migration";
import { z } from "zod";
import type { Db } from "./database.ts";

/**
 * How long others wait for a table that a migration changes. `short`: for the transactions that are under way, and some
 * milliseconds. `rewrite`: for as long as it takes to go through all of its rows.
 */
const LOCK_KINDS = ["short", "rewrite"] as const;

/** What every migration declares beside its statements, as `effects`. `locks` is empty where nobody waits. */
export const migrationEffectsSchema = z.strictObject({
  locks: z.array(z.strictObject({ table: z.string(), kind: z.enum(LOCK_KINDS) })),
  /** Whether servers of the version before work on the tables as they are afterwards, and do no harm. */
  sideBySide: z.boolean(),
});

export interface PlannedMigration {
  readonly name: string;
  readonly locks: readonly {
    readonly table: string;
    readonly kind: (typeof LOCK_KINDS)[number];
    /** Of the table with its indexes; absent where it is not there yet. */
    readonly bytes: number | undefined;
  }[];
  readonly sideBySide: boolean;
}

export interface MigrationPlan {
  /** Oldest first. They run in one transaction, which holds every lock until it is over. */
  readonly pending: readonly PlannedMigration[];
  /** What the database has had and this version does not know: it was used with a newer one. */
  readonly unknown: readonly string[];
  /** The database has had none yet. */
  readonly isNew: boolean;
}

/** @param known the modules of the migrations by name. */
export async function planMigrations(db: Db, known: Readonly<Record<string, object>>): Promise<MigrationPlan> {
  const applied = await listAppliedMigrations(db);
  const pending = Object.entries(known).filter(([name]) => !applied.includes(name));
  return {
    pending: await Promise.all(pending.map(([name, migration]) => planOne(db, name, migration))),
    unknown: applied.filter((name) => !Object.hasOwn(known, name)),
    isNew: applied.length === 0,
  };
}

async function planOne(db: Db, name: string, migration: object): Promise<PlannedMigration> {
  const { locks, sideBySide } = migrationEffectsSchema.parse("effects" in migration ? migration.effects : undefined);
  const measured = locks.map(async ({ table, kind }) => ({ table, kind, bytes: await measureTable(db, table) }));
  return { name, locks: await Promise.all(measured), sideBySide };
}

/** The names of all that a database has had, oldest first. Asked of the table itself: the library lists only what it knows. */
export async function listAppliedMigrations(db: Db): Promise<readonly string[]> {
  const { rows: tables } = await sql<{ isThere: boolean }>`
    select to_regclass(${DEFAULT_MIGRATION_TABLE}) is not null as "isThere"`.execute(db);
  if (tables[0]?.isThere !== true) return [];
  const { rows } = await sql<{ name: string }>`
    select name from ${sql.table(DEFAULT_MIGRATION_TABLE)} order by name`.execute(db);
  return rows.map(({ name }) => name);
}

async function measureTable(db: Db, table: string): Promise<number | undefined> {
  const { rows } = await sql<{ bytes: string | null }>`
    select pg_total_relation_size(to_regclass(${table}))::text as bytes`.execute(db);
  const bytes = rows[0]?.bytes ?? undefined;
  return bytes === undefined ? undefined : Number(bytes);
}
