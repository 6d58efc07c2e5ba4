import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Migration, Migrator } from "kysely/migration";
import type { Db } from "./database.ts";
import { type MigrationPlan, planMigrations } from "./migration-plan.ts";
import { listAppliedMigrations, listNewerMigrations, notingEffects, refuseUnfit } from "./newer-migrations.ts";

const DIRECTORY = join(import.meta.dirname, "../../migrations");

export interface Migrations {
  /** The names of the migrations that this version knows and the database has not had yet, oldest first. */
  listPending(): Promise<readonly string[]>;
  /** The names of all that the database has had, oldest first, known to this version or not. */
  listApplied(): Promise<readonly string[]>;
  /** The names of all that this version knows, oldest first. */
  listKnown(): Promise<readonly string[]>;
  /**
   * The names of what the database has had of a newer version, and this one does not know.
   *
   * @throws AppError DATABASE_NEWER when this version may not run on it.
   */
  listNewer(): Promise<readonly string[]>;
  /**
   * Applies what is pending, under an advisory lock; returns the names. Many nodes may call it at once. Applies nothing
   * where a newer version has been before.
   *
   * @throws AppError DATABASE_NEWER
   */
  apply(): Promise<readonly string[]>;
  /** What `apply` would do, and how it disturbs servers that run meanwhile. Changes nothing. */
  plan(): Promise<MigrationPlan>;
  /** Applies no more than up to this one, to an empty database: for what is of an older version. */
  applyUpTo(name: string): Promise<void>;
  /** Takes all of them back, newest first. Tests only: it drops every table. */
  revertAll(): Promise<void>;
}

/** @param patientDb where migrations are applied: one may take longer than a request may wait. */
export function createMigrations(db: Db, patientDb: Db = db): Migrations {
  const provider = {
    async getMigrations() {
      const entries = Object.entries(await readMigrations());
      return Object.fromEntries(entries.map(([name, migration]) => [name, notingEffects(name, migration)]));
    },
  };
  const migrator = new Migrator({ db, provider });
  const patientMigrator = new Migrator({ db: patientDb, provider });
  const listNewer = async (): Promise<readonly string[]> => {
    const newer = await listNewerMigrations(db, Object.keys(await readMigrations()));
    refuseUnfit(newer);
    return newer.map(({ name }) => name);
  };
  return {
    async listPending() {
      const known = await migrator.getMigrations();
      return known.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name);
    },
    plan: async () => planMigrations(db, await readMigrations()),
    listApplied: () => listAppliedMigrations(db),
    listNewer,
    listKnown: async () => Object.keys(await readMigrations()),
    async applyUpTo(name) {
      const { error } = await patientMigrator.migrateTo(name);
      if (error !== undefined) throw asError(error);
    },
    async apply() {
      if ((await listNewer()).length > 0) return [];
      const { error, results } = await patientMigrator.migrateToLatest();
      // While it waited for the lock, a newer version may have been the one that held it.
      if (error !== undefined && (await listNewer()).length > 0) return [];
      if (error !== undefined) throw asError(error);
      return (results ?? []).map(({ migrationName }) => migrationName);
    },
    async revertAll() {
      for (;;) {
        const { error, results } = await patientMigrator.migrateDown();
        if (error !== undefined) throw asError(error);
        if (results === undefined || results.length === 0) return;
      }
    },
  };
}

/** By name; compiled or not, a migration is the same one to the database. */
async function readMigrations(): Promise<Record<string, Migration>> {
  const files = (await readdir(DIRECTORY)).filter((file) => /^\d{4}-.*\.[jt]s$/.test(file)).toSorted();
  const entries = await Promise.all(
    files.map(async (file): Promise<[string, Migration]> => {
      const migration = (await import(pathToFileURL(join(DIRECTORY, file)).href)) as Migration;
      return [file.replace(/\.[jt]s$/, ""), migration];
    }),
  );
  return Object.fromEntries(entries);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error("a migration failed", { cause: error });
}
