import { sql } from "kysely";
import type { Db } from "./database.ts";
import { type MigrationEffects, readEffects } from "./migration-effects.ts";
import { listAppliedMigrations, listNewerMigrations, type NewerMigration } from "./newer-migrations.ts";

export interface PlannedMigration {
  readonly name: string;
  readonly locks: readonly {
    readonly table: string;
    readonly kind: MigrationEffects["locks"][number]["kind"];
    /** Of the table with its indexes; absent where it is not there yet. */
    readonly bytes: number | undefined;
  }[];
  readonly sideBySide: boolean;
}

export interface MigrationPlan {
  /** Oldest first. They run in one transaction, which holds every lock until it is over. */
  readonly pending: readonly PlannedMigration[];
  /** What the database has had and this version does not know: it was used with a newer one. */
  readonly unknown: readonly NewerMigration[];
  /** The database has had none yet. */
  readonly isNew: boolean;
}

/** @param known the modules of the migrations by name. */
export async function planMigrations(db: Db, known: Readonly<Record<string, object>>): Promise<MigrationPlan> {
  const applied = await listAppliedMigrations(db);
  const pending = Object.entries(known).filter(([name]) => !applied.includes(name));
  return {
    pending: await Promise.all(pending.map(([name, migration]) => planOne(db, name, migration))),
    unknown: await listNewerMigrations(db, Object.keys(known)),
    isNew: applied.length === 0,
  };
}

async function planOne(db: Db, name: string, migration: object): Promise<PlannedMigration> {
  const { locks, sideBySide } = readEffects(migration);
  const measured = locks.map(async ({ table, kind }) => ({ table, kind, bytes: await measureTable(db, table) }));
  return { name, locks: await Promise.all(measured), sideBySide };
}

async function measureTable(db: Db, table: string): Promise<number | undefined> {
  const { rows } = await sql<{ bytes: string | null }>`
    select pg_total_relation_size(to_regclass(${table}))::text as bytes`.execute(db);
  const bytes = rows[0]?.bytes ?? undefined;
  return bytes === undefined ? undefined : Number(bytes);
}
