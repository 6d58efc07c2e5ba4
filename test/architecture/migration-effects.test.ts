import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Kysely, sql } from "kysely";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Database, migrationEffectsSchema, openEmbedded } from "../../src/storage/index.ts";

const DIRECTORY = join(import.meta.dirname, "../../migrations");

interface MigrationModule {
  readonly effects: unknown;
  readonly up: (db: Kysely<unknown>) => Promise<void>;
}

async function readMigrations(): Promise<readonly (readonly [string, MigrationModule])[]> {
  const files = readdirSync(DIRECTORY).toSorted();
  return Promise.all(
    files.map(async (file) => [file, (await import(pathToFileURL(join(DIRECTORY, file)).href)) as MigrationModule]),
  );
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
  readonly hasDefault: boolean;
}

async function listColumns(db: Kysely<unknown>): Promise<readonly Column[]> {
  const { rows } = await sql<Column>`
    select table_name || '.' || column_name as name, data_type as type, is_nullable = 'YES' as "isNullable",
        column_default is not null or is_identity = 'YES' as "hasDefault"
      from information_schema.columns where table_schema = 'public' order by 1`.execute(db);
  return rows;
}

/** Which file on disk holds each table: another one after it was rewritten. */
async function listTables(db: Kysely<unknown>): Promise<ReadonlyMap<string, { name: string; file: string }>> {
  const { rows } = await sql<{ oid: string; name: string; file: string }>`
    select oid::text as oid, relname::text as name, relfilenode::text as file from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r'`.execute(db);
  return new Map(rows.map(({ oid, name, file }) => [oid, { name, file }]));
}

/** Locks that reads or writes of others wait for. */
async function listLocked(db: Kysely<unknown>): Promise<readonly string[]> {
  const { rows } = await sql<{ oid: string }>`
    select distinct relation::text as oid from pg_locks where pid = pg_backend_pid() and mode in
      ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`.execute(db);
  return rows.map(({ oid }) => oid);
}

/** What a migration did to the tables that were there: told by the database, not by its text. */
interface Observed {
  readonly locked: readonly string[];
  readonly rewritten: readonly string[];
  /** What a version that knew the tables as they were before would stumble over. */
  readonly broken: readonly string[];
}

async function observe(db: Kysely<unknown>, up: (db: Kysely<unknown>) => Promise<void>): Promise<Observed> {
  const [columnsBefore, tablesBefore] = [await listColumns(db), await listTables(db)];
  const observed = await db.transaction().execute(async (tx) => {
    await up(tx);
    const locked = (await listLocked(tx)).flatMap((oid) => tablesBefore.get(oid)?.name ?? []);
    const tablesAfter = await listTables(tx);
    const rewritten = [...tablesBefore].filter(([oid, { file }]) => (tablesAfter.get(oid)?.file ?? file) !== file);
    return { locked: locked.toSorted(), rewritten: rewritten.map(([, { name }]) => name) };
  });
  return { ...observed, broken: findBroken(columnsBefore, await listColumns(db)) };
}

function findBroken(before: readonly Column[], after: readonly Column[]): readonly string[] {
  const tableOf = (name: string): string => name.slice(0, name.indexOf("."));
  const oldTables = new Set(before.map(({ name }) => tableOf(name)));
  const lost = before.flatMap((column) => {
    const now = after.find(({ name }) => name === column.name);
    if (now === undefined) return [`${column.name} is gone`];
    if (now.type !== column.type) return [`${column.name} has another type`];
    if (now.isNullable && !column.isNullable) return [`${column.name} may be null now`];
    return column.isNullable && !now.isNullable ? [`${column.name} must not be null now`] : [];
  });
  const added = after.filter(({ name }) => oldTables.has(tableOf(name)) && !before.some((old) => old.name === name));
  const demanding = added.filter(({ isNullable, hasDefault }) => !isNullable && !hasDefault);
  return [...lost, ...demanding.map(({ name }) => `${name} has to be given`)];
}

test("every migration declares the locks that it takes, and breaks nothing where it lets the version before run on", async () => {
  const database = await openEmbedded(undefined);
  onTestFinished(() => database.close());
  const db = database.db as Kysely<unknown>;
  const migrations = await readMigrations();
  expect(migrations.length).toBeGreaterThan(7);
  for (const [file, migration] of migrations) {
    const { locks, sideBySide } = migrationEffectsSchema.parse(migration.effects, { error: () => file });
    const seen = await observe(db, migration.up);
    expect(seen.locked, `${file} locks`).toEqual(locks.map(({ table }) => table).toSorted());
    const slow = locks.filter(({ kind }) => kind === "rewrite").map(({ table }) => table);
    expect(slow, `${file} rewrites`).toEqual(expect.arrayContaining([...seen.rewritten]));
    expect(sideBySide ? seen.broken : [], `${file} breaks`).toEqual([]);
  }
});

describe("the canary", () => {
  let database: Database;
  beforeAll(async () => {
    database = await openEmbedded(undefined);
  }, 30_000);
  afterAll(() => database.close());

  test.each([
    ["drop table notes", { locked: ["notes"], rewritten: [], broken: ["notes.id is gone", "notes.text is gone"] }],
    [
      "alter table notes rename column text to body",
      { locked: ["notes"], rewritten: [], broken: ["notes.text is gone"] },
    ],
    ["alter table notes alter column id type bigint", { rewritten: ["notes"], broken: ["notes.id has another type"] }],
    ["alter table notes alter column text set not null", { broken: ["notes.text must not be null now"] }],
    ["alter table notes alter column id drop not null", { broken: ["notes.id may be null now"] }],
    ["alter table notes add column by_whom text not null", { broken: ["notes.by_whom has to be given"] }],
    ["create index notes_text on notes (text)", { locked: ["notes"], broken: [] }],
    ["alter table notes add column kind text not null default 'x'", { locked: ["notes"], rewritten: [], broken: [] }],
    ["create table others (id integer)", { locked: [], rewritten: [], broken: [] }],
  ])("%s", async (statement, expected) => {
    const db = database.db as Kysely<unknown>;
    await sql`drop table if exists notes, others`.execute(db);
    await sql`create table notes (id integer not null, text text)`.execute(db);
    const seen = await observe(db, async (tx) => void (await sql.raw(statement).execute(tx)));
    expect(seen).toMatchObject(expected);
  });
});
