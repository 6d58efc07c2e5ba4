import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { type Database, openEmbedded } from "../../src/storage/index.ts";
import { claimDatabaseNumber, releaseDatabaseNumber } from "./redis-databases.ts";
import { onPostgres, type RunStores, type Template, withPath } from "./run-stores.ts";
import { copyEmbedded, copyPostgres, type EmbeddedTemplate } from "./templates.ts";

declare module "vitest" {
  export interface ProvidedContext {
    stores: RunStores;
  }
}

/** A store of the caller's own on the servers that the run shares. */
export interface TestStore {
  readonly url: string;
  /** Empties it and gives it back. */
  drop(): Promise<void>;
}

/**
 * A database of its own on the run's Postgres: what a server leaves that was started once, for one whose LATCHKEY_SECRET
 * is {@link runSecret}.
 */
export function createTestDatabase(): Promise<TestStore> {
  return createFrom("start");
}

/** A database with the tables of all migrations, and nothing in them. */
export function createTableDatabase(): Promise<TestStore> {
  return createFrom("tables");
}

async function createFrom(template: Template): Promise<TestStore> {
  const [run, name] = [inject("stores"), databaseName()];
  await copyPostgres(run, name, template);
  return storeOf(run, name);
}

/** A database without a table; `like` says how it differs from the others, in words of SQL. */
export async function createEmptyDatabase(like = ""): Promise<TestStore> {
  const [run, name] = [inject("stores"), databaseName()];
  await onPostgres(run.databaseUrl, (client) => client.query(`create database ${name} ${like}`));
  return storeOf(run, name);
}

function databaseName(): string {
  return `test_${randomBytes(8).toString("hex")}`;
}

function storeOf({ databaseUrl }: RunStores, name: string): TestStore {
  const statement = `drop database if exists ${name} with (force)`;
  const drop = async () => void (await onPostgres(databaseUrl, (client) => client.query(statement)));
  return { url: withPath(databaseUrl, name), drop };
}

/** What the signing keys of {@link createTestDatabase} are sealed under. */
export function runSecret(): string {
  return inject("stores").secret;
}

/**
 * A database number of the run's Redis, empty and nobody else's. Publications and scripts are shared with the others; a
 * test that minds, or that breaks its Redis, starts one of its own with `startRedis`.
 *
 * @throws Error when as many are in use as the Redis has.
 */
export async function createTestRedis(): Promise<TestStore> {
  const serverUrl = inject("stores").redisUrl;
  const number = await claimDatabaseNumber(serverUrl);
  return { url: withPath(serverUrl, number), drop: () => releaseDatabaseNumber(serverUrl, number) };
}

interface TestEmbedded extends Omit<Database, "close"> {
  readonly close: () => Promise<void>;
}

/** The embedded database, with the tables of all migrations or `empty`; gone when it is closed. */
export async function openTestEmbedded(holds: Exclude<EmbeddedTemplate, "start"> = "tables"): Promise<TestEmbedded> {
  const folder = await createDataDirectory(holds);
  const drop = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const database = await openEmbedded(join(folder, "database"));
    const close = async (): Promise<void> => {
      try {
        await database.close();
      } finally {
        await drop();
      }
    };
    return { ...database, close };
  } catch (error) {
    await drop();
    throw error;
  }
}

/** A data directory of its own, which somebody else removes. */
export async function createDataDirectory(template: EmbeddedTemplate): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-data-"));
  await copyEmbedded(inject("runFolder"), folder, template);
  return folder;
}
