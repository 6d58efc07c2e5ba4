/**
 * Databases that test files would each make anew, made once in a run by the first who asks, and copied for each. On
 * Postgres that saves migrations and signing keys, on the embedded database also the seconds in which it sets itself up.
 */
import { randomBytes } from "node:crypto";
import { cp, mkdtemp, rename, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { loadConfig, type SettingKey } from "../../src/config/index.ts";
import { createMigrations, type Database, openEmbedded, openPostgres } from "../../src/storage/index.ts";
import { onPostgres, type RunStores, type Template, templateName, withPath } from "./run-stores.ts";

/** Whoever makes a template holds this lock; the others wait for it instead of making theirs. */
const MAKING_LOCK = 20_261_130;

/** Makes a database of this name on the run's Postgres. */
export async function copyPostgres(run: RunStores, name: string, template: Template): Promise<void> {
  await onPostgres(run.databaseUrl, async (client) => {
    await client.query("select pg_advisory_lock($1)", [MAKING_LOCK]);
    await makePostgres(client, { run, template });
    await client.query("select pg_advisory_unlock($1)", [MAKING_LOCK]);
    await client.query(`create database ${name} template ${templateName(run, template)}`);
  });
}

async function makePostgres(client: pg.Client, { run, template }: { run: RunStores; template: Template }) {
  const name = templateName(run, template);
  if ((await client.query("select from pg_database where datname = $1", [name])).rowCount === 1) return;
  // Under another name until it is whole.
  const draft = `draft_${randomBytes(8).toString("hex")}`;
  await client.query(`create database ${draft}`);
  const url = withPath(run.databaseUrl, draft);
  if (template === "tables") await migrate(openPostgres({ url, poolMax: 1, onConnectionError: () => undefined }));
  else await startOnce({ DATABASE_URL: url, LATCHKEY_SECRET: run.secret });
  await client.query(`alter database ${draft} rename to ${name}`);
}

/** `empty`: without a table. */
export type EmbeddedTemplate = Template | "empty";

/** Puts a data directory at `path`, ready to be opened: the database alone, or with `start` all that a server has. */
export async function copyEmbedded(runFolder: string, path: string, template: EmbeddedTemplate): Promise<void> {
  const made = join(runFolder, template);
  if (!existsSync(made)) await makeEmbedded(runFolder, template);
  await cp(made, path, { recursive: true });
}

/** Two workers may make one at a time: the first to be done has made it. */
async function makeEmbedded(runFolder: string, template: EmbeddedTemplate): Promise<void> {
  const draft = await mkdtemp(join(runFolder, "draft-"));
  if (template === "start") {
    await startOnce({ DATA_DIR: draft });
  } else {
    const database = await openEmbedded(join(draft, "database"));
    if (template === "tables") await migrate(database);
    else await database.close();
  }
  await rename(draft, join(runFolder, template)).catch(() => rm(draft, { recursive: true, force: true }));
}

async function migrate(database: Database): Promise<void> {
  await createMigrations(database.db).apply();
  await database.close();
}

async function startOnce(settings: Partial<Record<SettingKey, string>>): Promise<void> {
  const always = { ISSUER: "http://localhost:3000", MIGRATIONS: "apply", LOG_LEVEL: "silent", DEMO: "off" };
  // Imported here: unit tests, which need tables alone, would load the whole server.
  const { compose } = await import("../../src/compose.ts");
  const latchkey = await compose(loadConfig({ ...always, ...settings }));
  await latchkey.close();
}
