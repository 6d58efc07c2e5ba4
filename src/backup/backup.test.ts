import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../core/index.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import { createMigrations, type Database, type Db } from "../storage/index.ts";
import { type BackUp, createBackUp } from "./backup.ts";
import type { CopyRecord } from "./copy.ts";
import { openBackupFile } from "./read-file.ts";
import { restoreInto } from "./restore.ts";
import { listTables } from "./tables.ts";
import { writeBackupFile } from "./write-file.ts";

const SECRET = "a-secret-of-a-data-directory-that-is-long";
const START_TIMEOUT_MS = 60_000;

let source: Database;
let target: Database;
let folder: string;
let path: string;
let backUp: BackUp;

beforeAll(async () => {
  [source, target] = await Promise.all([openTestEmbedded(), openTestEmbedded()]);
  await fillWithOddities(source.db);
  backUp = backUpOf(source.db);
  folder = mkdtempSync(join(tmpdir(), "latchkey-backup-"));
}, START_TIMEOUT_MS);
afterAll(async () => {
  await Promise.all([source.close(), target.close()]);
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  path = join(folder, "backup");
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  await createMigrations(target.db).revertAll();
});

function backUpOf(db: Db): BackUp {
  const issuer = "https://id.example.com";
  const migrations = createMigrations(db);
  return createBackUp({ db, migrations, clock: systemClock, secret: SECRET, issuer, needsLatchkeySecret: false });
}

/** One of every type that a column has, with what goes wrong where somebody thinks that text is simple. */
async function fillWithOddities(db: Db): Promise<void> {
  const name = 'Ä "quoted" \\ back\nline\u2028separator\ttab, [1] {x} 🦊';
  await sql`insert into accounts (id, email, email_folded, email_verified, name, password_hash, password_changed_at, created_at, updated_at)
    values ('a1', 'Alice@example.com', 'alice@example.com', true, ${name}, 'hash',
      '2026-03-29 02:30:00.123456+02', '0001-01-01', 'infinity')`.execute(db);
  await sql`insert into totp_devices (id, account_id, name, secret, last_step, created_at)
    values ('d1', 'a1', 'Phone', '\\x00ff0a5c', 9007199254740993, now())`.execute(db);
  await sql`insert into sessions (id, account_id, created_at, expires_at, amr)
    values ('s1', 'a1', now(), now(), ${["pwd", 'o"t,p', "{}", ""]}), ('s2', 'a1', now(), now(), '{}')`.execute(db);
  await sql`insert into resource_servers (identifier, name, metadata, created_at, updated_at)
    values ('https://orders.example.com', 'Orders', '{"accessTokenSeconds": 120, "big": 12345678901234567890.5, "nothing": null}', now(), now())`.execute(
    db,
  );
  // Two more than one batch.
  await sql`insert into audit_events (occurred_at, type, data)
    select now(), 'test', jsonb_build_object('count', count) from generate_series(1, 502) count`.execute(db);
  await sql`insert into nodes (id, started_at, last_seen_at, report) values ('n1', now(), now(), '{}')`.execute(db);
  await sql`update revocation_feed set last_id = 77, epoch = 3`.execute(db);
}

/** All rows of all tables, as the database writes them. */
async function contentOf(db: Db): Promise<ReadonlyMap<string, unknown>> {
  const content = new Map<string, unknown>();
  for (const { name } of await listTables(db)) {
    const { rows } = await sql<{ row: string }>`
      select entry::text as row from ${sql.table(name)} entry order by 1`.execute(db);
    content.set(
      name,
      rows.map(({ row }) => row),
    );
  }
  return content;
}

async function restore(): Promise<void> {
  const file = await openBackupFile(path);
  await restoreInto({ db: target.db, migrations: createMigrations(target.db) }, file);
}

const refusal = (reason: string) => ({ code: "BACKUP_FILE_UNUSABLE", detail: expect.stringContaining(reason) });

test("every row of every table comes back as it was, and numbering goes on behind it", async () => {
  const { rows } = await backUp({ path, overwrite: false });
  expect(rows).toMatchObject({ accounts: 1, sessions: 2, access_token_lives: 1 });
  const eventCount = rows["audit_events"] ?? 0;
  expect(eventCount).toBeGreaterThanOrEqual(502);
  await restore();
  // Who ran then does not run now.
  expect(await contentOf(target.db)).toEqual(new Map([...(await contentOf(source.db)), ["nodes", []]]));
  const { rows: added } = await sql<{ id: string }>`
    insert into audit_events (occurred_at, type) values (now(), 'test') returning id`.execute(target.db);
  expect(Number(added[0]?.id)).toBe(eventCount + 1);
  await expect(sql`delete from audit_events`.execute(target.db)).rejects.toThrow("append-only");
});

test("the file is for its owner only, has the secret and says that it is to be kept safe", async () => {
  await backUp({ path, overwrite: false });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const file = await openBackupFile(path);
  await file.close();
  expect(file.secret).toBe(SECRET);
  expect(file.header).toMatchObject({ issuer: "https://id.example.com", needsLatchkeySecret: false });
  expect(readFileSync(path, "latin1").split("\n")[0]).toContain("keep it as safe as the server itself");
});

test(
  "what writers change together is in a backup together, or not at all",
  async () => {
    const addPair = (id: string): Promise<unknown> =>
      source.db.transaction().execute(async (tx) => {
        await sql`insert into clients (id, name, metadata, created_at, updated_at) values (${id}, 'x', '{}', now(), now())`.execute(
          tx,
        );
        await sql`insert into audit_events (occurred_at, type, client_id) values (now(), 'pair', ${id})`.execute(tx);
      });
    const done = { now: false };
    let count = 0;
    const write = async (): Promise<void> => {
      while (!done.now) {
        await addPair(`client-${(count += 1)}`);
        // The embedded database waits for nothing, so that timers would never be reached.
        await nextTurn();
      }
    };
    const writers = [write(), write(), write()];
    await expect.poll(() => count).toBeGreaterThan(20);
    const { rows } = await backUp({ path, overwrite: false });
    const countAtEnd = count;
    await expect.poll(() => count).toBeGreaterThan(countAtEnd + 20);
    done.now = true;
    await Promise.all(writers);
    await restore();
    const { rows: pairs } = await sql<{ event: string | null; client: string | null }>`
    select event.client_id as event, client.id as client
    from (select * from audit_events where type = 'pair') event full join clients client on client.id = event.client_id`.execute(
      target.db,
    );
    expect(pairs.filter(({ event, client }) => event === null || client === null)).toEqual([]);
    expect(pairs).toHaveLength(rows["clients"] ?? 0);
    expect(pairs.length).toBeGreaterThan(0);
    expect(pairs.length).toBeLessThan(count);
  },
  START_TIMEOUT_MS,
);

test("a file that is cut short anywhere is refused", async () => {
  await backUp({ path, overwrite: false });
  const { size } = statSync(path);
  for (const kept of [size - 1, size - 32, size - 33, Math.floor(size / 2), 200, 40]) {
    truncateSync(path, kept);
    await expect(restore(), `${kept} of ${size} bytes`).rejects.toMatchObject(refusal("cut short or damaged"));
  }
  truncateSync(path, 0);
  await expect(restore()).rejects.toMatchObject(refusal("no backup of Latchkey"));
});

test("a single bit that differs is noticed, wherever it is", async () => {
  await backUp({ path, overwrite: false });
  const octets = readFileSync(path);
  for (let place = 40; place < octets.length; place += 97) {
    const flipped = Buffer.from(octets);
    flipped[place] = (flipped[place] ?? 0) ^ 0x10;
    writeFileSync(path, flipped);
    await expect(openBackupFile(path), `bit of byte ${place}`).rejects.toMatchObject(refusal("cut short or damaged"));
  }
});

test("a file of something else, one that is not there, and one in a newer format are refused", async () => {
  await expect(restore()).rejects.toMatchObject(refusal("cannot be read"));
  writeFileSync(path, "-- PostgreSQL database dump\n");
  await expect(restore()).rejects.toMatchObject(refusal("no backup of Latchkey"));
  const newer = Buffer.from('{"format":"latchkey-backup","formatVersion":2}\nwho knows');
  writeFileSync(path, Buffer.concat([newer, createHash("sha256").update(newer).digest()]));
  await expect(restore()).rejects.toMatchObject(refusal("newer version"));
});

test("a backup with a migration that this version does not know is refused by its name", async () => {
  await sql`insert into kysely_migration (name, timestamp) values ('9999-of-tomorrow', '')`.execute(source.db);
  onTestFinished(async () => void (await sql`delete from kysely_migration where name like '9999%'`.execute(source.db)));
  await backUp({ path, overwrite: false });
  await expect(restore()).rejects.toMatchObject(refusal("9999-of-tomorrow"));
  expect(await listTables(target.db)).toEqual([]);
});

test(
  "a backup of an older version is restored as it was, and brought to this one",
  async () => {
    const older = await openTestEmbedded("empty");
    onTestFinished(() => older.close());
    await createMigrations(older.db).applyUpTo("0004-back-channel-logout");
    await sql`insert into accounts (id, email, email_folded, name, password_hash, created_at, updated_at)
    values ('a1', 'alice@example.com', 'alice@example.com', 'Alice', 'hash', '2026-01-01', now())`.execute(older.db);
    await backUpOf(older.db)({ path, overwrite: false });
    await restore();
    const migrations = createMigrations(target.db);
    expect((await migrations.apply())[0]).toBe("0005-factors");
    const { rows } = await sql`select id, password_changed_at = created_at as "isMigrated" from accounts`.execute(
      target.db,
    );
    expect(rows).toEqual([{ id: "a1", isMigrated: true }]);
  },
  START_TIMEOUT_MS,
);

test("a file that is there stays as it is, unless it is to be overwritten", async () => {
  writeFileSync(path, "precious");
  await expect(backUp({ path, overwrite: false })).rejects.toMatchObject({ code: "BACKUP_FILE_EXISTS" });
  expect(readFileSync(path, "utf8")).toBe("precious");
  await backUp({ path, overwrite: true });
  await expect(restore()).resolves.toBeUndefined();
  expect(readdirSync(folder)).toEqual(["backup"]);
});

test("a backup that fails leaves no file, and the one before as it was", async () => {
  writeFileSync(path, "the one before");
  const header = { createdAt: "", issuer: "", migrations: ["0001-first-tables"], needsLatchkeySecret: false };
  const records = async function* (): AsyncGenerator<CopyRecord> {
    yield { kind: "rows", lines: ["[]"] };
    throw new Error("the database went away");
  };
  const failing = writeBackupFile({ path, overwrite: true }, { header, secret: SECRET, records: records() });
  await expect(failing).rejects.toThrow("the database went away");
  expect(readdirSync(folder)).toEqual(["backup"]);
  expect(readFileSync(path, "utf8")).toBe("the one before");
});

test("a file that cannot be written is a sentence, and the database goes on", async () => {
  const nowhere = join(folder, "no-such-folder", "backup");
  await expect(backUp({ path: nowhere, overwrite: false })).rejects.toMatchObject({ code: "BACKUP_FILE_UNWRITABLE" });
  await expect(source.ping()).resolves.toBeUndefined();
});
