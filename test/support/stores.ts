import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { claimDatabaseNumber, releaseDatabaseNumber } from "./redis-databases.ts";

declare module "vitest" {
  export interface ProvidedContext {
    redisUrl: string;
    databaseUrl: string;
  }
}

/** A store of the caller's own on the servers that the run shares. */
export interface TestStore {
  readonly url: string;
  /** Empties it and gives it back. */
  drop(): Promise<void>;
}

/** A fresh, empty database on the run's Postgres; `like` says how it differs from the others, in words of SQL. */
export async function createTestDatabase(like = ""): Promise<TestStore> {
  const adminUrl = inject("databaseUrl");
  const name = `test_${randomBytes(8).toString("hex")}`;
  await onPostgres(adminUrl, `create database ${name} ${like}`);
  return {
    url: withPath(adminUrl, name),
    drop: () => onPostgres(adminUrl, `drop database if exists ${name} with (force)`),
  };
}

/**
 * A database number of the run's Redis, empty and nobody else's. Publications and scripts are shared with the others; a
 * test that minds, or that breaks its Redis, starts one of its own with `startRedis`.
 *
 * @throws Error when as many are in use as the Redis has.
 */
export async function createTestRedis(): Promise<TestStore> {
  const serverUrl = inject("redisUrl");
  const number = await claimDatabaseNumber(serverUrl);
  return { url: withPath(serverUrl, number), drop: () => releaseDatabaseNumber(serverUrl, number) };
}

function withPath(url: string, path: string): string {
  const changed = new URL(url);
  changed.pathname = `/${path}`;
  return changed.href;
}

async function onPostgres(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
