import { copyFile, mkdtemp, readdir, readFile, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { ClientSecretBasic } from "oauth4webapi";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startControlServer } from "../../../src/commands/index.ts";
import { startProcess } from "../../install/latchkey-process.ts";
import { builtServer } from "../../support/built-server.ts";
import { alice, ordersApi } from "../../support/cast.ts";
import { submitSignIn } from "../../support/journeys.ts";
import { startNode, type TestLatchkey } from "../../support/latchkey.ts";
import { errorOf, type Tokens } from "../../support/relying-party.ts";
import { addService, ordersService } from "../../support/services.ts";
import { createEmptyDatabase, type TestStore } from "../../support/stores.ts";
import { createWorld, type World } from "../../support/world.ts";
import { enrollPerson, type EnrolledPerson, submitCode } from "../mfa/people.ts";

/** What a person, a client and a service had before; the same must be true afterwards. */
interface Before {
  readonly tokens: Tokens;
  readonly keys: unknown;
  readonly holder: EnrolledPerson;
  /** What the backup said that was made then. */
  readonly answer: unknown;
}

let folder: string;
let world: World;
let before: Before;
let backupFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "latchkey-embedded-data-"));
  backupFile = join(folder, "backup");
  world = await createWorld({ stores: "embedded" });
  const { latchkey, apps } = world;
  const holder = await enrollPerson(world);
  const tokens = await apps.shopWeb.signIn(world.openBrowser(), alice, { scope: "openid profile orders:read" });
  const keys = await keysOf(latchkey);
  const control = await startControlServer({
    socketPath: join(dataDirectory(), "control.sock"),
    services: latchkey,
    logger: { info: () => undefined, error: (fields) => expect.unreachable(JSON.stringify(fields)) },
  });
  const answer = await run(["backup", backupFile], { DATA_DIR: dataDirectory() });
  await control.close();
  before = { tokens, holder, keys, answer };
  await latchkey.stopNode();
});
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

const dataDirectory = (): string => world.latchkey.settings.DATA_DIR ?? "";

async function keysOf({ issuer }: Pick<TestLatchkey, "issuer">): Promise<unknown> {
  return (await fetch(`${issuer}/jwks`)).json();
}

/** Runs `latchkey …` as an operator does. */
async function run(args: readonly string[], settings: Readonly<Record<string, string>>) {
  const { LATCHKEY_SECRET = "", ISSUER = "" } = world.latchkey.settings;
  const environment = { LATCHKEY_SECRET, ISSUER, ...settings };
  const command = startProcess({ folder: await builtServer(), settings: environment, args: [...args, "--json"] });
  const exitCode = await command.exited;
  const answer = JSON.parse(command.output()) as {
    readonly error?: { readonly code: string; readonly message: string };
  };
  return { exitCode, output: command.output(), data: answer, code: answer.error?.code, message: answer.error?.message };
}

/** The server as before, on other stores. */
async function startOn(settings: Readonly<Record<string, string>>): Promise<TestLatchkey> {
  const { ISSUER = "", PORT = "", LATCHKEY_SECRET = "" } = world.latchkey.settings;
  return startNode({ settings: { ISSUER, PORT, LATCHKEY_SECRET, LOG_LEVEL: "silent", DEMO: "off", ...settings } });
}

async function expectAllAsBefore(latchkey: TestLatchkey): Promise<void> {
  const { holder, keys, tokens } = before;
  expect(await keysOf(latchkey)).toEqual(keys);
  const published = createRemoteJWKSet(new URL(`${latchkey.issuer}/jwks`));
  const audience = ordersApi.identifier;
  // Whether its key is there is what matters, however long this file has been running.
  const currentDate = new Date((decodeJwt(tokens.accessToken).iat ?? 0) * 1_000);
  const expected = { issuer: latchkey.issuer, audience, currentDate };
  await expect(jwtVerify(tokens.accessToken, published, expected)).resolves.toBeDefined();
  const again = await world.apps.shopWeb.signIn(world.openBrowser(), alice, { scope: "openid profile orders:read" });
  expect(again.claims.sub).toBe(tokens.claims.sub);
  expect(decodeJwt(again.accessToken).aud).toBe(audience);
  // A secret client, with the secret that it has always had.
  expect((await world.apps.billingApi.requestClientCredentials()).status).toBe(200);
  const browser = world.openBrowser();
  const request = await world.apps.notesWeb.begin();
  const page = await submitSignIn(browser, await browser.open(request.url), holder);
  const { url } = await submitCode(browser, page, holder.app.code());
  const { claims } = await world.apps.notesWeb.complete(request, url);
  expect(claims).toMatchObject({ sub: holder.id, amr: ["pwd", "otp", "mfa"] });
}

/** From its first event on, those of before the copy and those that came after it. */
async function expectAuditIntact(settings: Readonly<Record<string, string>>): Promise<void> {
  const verified = await run(["audit", "verify"], settings);
  expect(verified).toMatchObject({ exitCode: 0, data: { verdict: "intact", begins: { position: "0" } } });
}

describe("a backup that was made while the server ran", () => {
  let target: string;
  beforeEach(async () => {
    target = await mkdtemp(join(folder, "restored-"));
  });

  test("is for its owner only, and is not overwritten unless that is said", async () => {
    expect(before.answer).toMatchObject({
      exitCode: 0,
      data: { file: backupFile, rows: { clients: 10, totp_devices: 1 } },
    });
    expect((await stat(backupFile)).mode & 0o777).toBe(0o600);
    const refused = await run(["backup", backupFile], { DATA_DIR: dataDirectory() });
    expect(refused).toMatchObject({ exitCode: 1, code: "BACKUP_FILE_EXISTS" });
    const other = join(folder, "stopped");
    await expect(run(["backup", other], { DATA_DIR: dataDirectory() })).resolves.toMatchObject({ exitCode: 0 });
    await expect(run(["backup", other, "--force"], { DATA_DIR: dataDirectory() })).resolves.toMatchObject({
      exitCode: 0,
    });
  });

  test("restored, has everybody's passwords, apps, clients and keys, and refuses what was issued before", async () => {
    const answer = await run(["restore", backupFile], { DATA_DIR: target });
    expect(answer).toMatchObject({ exitCode: 0, data: { sessions: "ended", needsLatchkeySecret: true } });
    const latchkey = await startOn({ DATA_DIR: target });
    try {
      await expectAllAsBefore(latchkey);
      const { accessToken, refreshToken } = before.tokens;
      expect(await errorOf(world.apps.shopWeb.refresh(refreshToken))).toBe("invalid_grant");
      const { id, secret = "" } = await addService(latchkey, ordersService);
      const authentication = ClientSecretBasic(secret);
      const orders = world.appOf({ clientId: id, redirectUri: "", authentication });
      expect(await orders.introspect(accessToken)).toEqual({ active: false });
    } finally {
      await latchkey.close();
    }
    await expectAuditIntact({ DATA_DIR: target });
  });

  test("restored with its sessions, lets an app refresh where it was", async () => {
    await run(["restore", backupFile, "--keep-sessions"], { DATA_DIR: target });
    const latchkey = await startOn({ DATA_DIR: target });
    try {
      await expect(world.apps.shopWeb.refresh(before.tokens.refreshToken)).resolves.toBeDefined();
    } finally {
      await latchkey.close();
    }
  });

  test("is not restored over data, and not out of a file that is damaged, and both leave all as it was", async () => {
    const filesBefore = (await readdir(dataDirectory(), { recursive: true })).toSorted();
    const over = await run(["restore", backupFile], { DATA_DIR: dataDirectory() });
    expect(over).toMatchObject({ exitCode: 1, code: "DATA_DIRECTORY_NOT_EMPTY" });
    expect((await readdir(dataDirectory(), { recursive: true })).toSorted()).toEqual(filesBefore);
    const damaged = join(target, "damaged");
    await copyFile(backupFile, damaged);
    await truncate(damaged, 5_000);
    const cut = await run(["restore", damaged], { DATA_DIR: join(target, "data") });
    expect(cut).toMatchObject({ exitCode: 1, code: "BACKUP_FILE_UNUSABLE" });
    await expect(stat(join(target, "data"))).rejects.toThrow("ENOENT");
  });
});

describe("data that are moved to a Postgres", () => {
  let database: TestStore;
  beforeEach(async () => {
    database = await createEmptyDatabase();
    return () => database.drop();
  });
  const move = (url: string) => run(["move", "--to", url], { DATA_DIR: dataDirectory() });
  const secrets = async (): Promise<string> => {
    const own = await readFile(join(dataDirectory(), "secret"), "utf8");
    return `${world.latchkey.settings.LATCHKEY_SECRET},${own.trim()}`;
  };

  async function query(statement: string): Promise<readonly unknown[]> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      const { rows } = await client.query<Record<string, unknown>>(statement);
      return rows;
    } finally {
      await client.end();
    }
  }

  test("are all there: passwords, apps, clients, keys, sessions and tokens", async () => {
    const moved = await move(database.url);
    expect(moved).toMatchObject({
      exitCode: 0,
      data: { rows: { clients: 10, totp_devices: 1, oidc_signing_keys: 8 } },
    });
    expect(moved.output).not.toContain(await secrets());
    const latchkey = await startOn({ DATABASE_URL: database.url, LATCHKEY_SECRET: await secrets() });
    try {
      await expect(world.apps.shopWeb.refresh(before.tokens.refreshToken)).resolves.toBeDefined();
      await expectAllAsBefore(latchkey);
    } finally {
      await latchkey.close();
    }
    await expectAuditIntact({ DATABASE_URL: database.url, LATCHKEY_SECRET: await secrets() });
  });

  test("are refused by a database that holds some already, which stays as it is", async () => {
    await move(database.url);
    const count = await query("select count(*) from audit_events");
    const again = await move(database.url);
    expect(again).toMatchObject({ exitCode: 1, code: "MOVE_REFUSED", message: expect.stringContaining("accounts") });
    expect(await query("select count(*) from audit_events")).toEqual(count);
  });

  test("are refused by a database with tables of those names that are somebody else's", async () => {
    await query("create table accounts (id int)");
    const refused = await move(database.url);
    expect(refused).toMatchObject({
      code: "MOVE_REFUSED",
      message: expect.stringContaining("not Latchkey's: accounts"),
    });
    expect(await query("select table_name from information_schema.tables where table_schema = 'public'")).toEqual([
      { table_name: "accounts" },
    ]);
  });

  test("are there as a whole or not at all, and the next try begins anew", async () => {
    const { LATCHKEY_SECRET = "" } = world.latchkey.settings;
    await run(["migrate"], { DATABASE_URL: database.url, LATCHKEY_SECRET });
    // The last table of all refuses its rows.
    await query("alter table totp_devices add constraint never check (name = '')");
    const refused = await move(database.url);
    expect(refused).toMatchObject({ code: "MOVE_REFUSED", message: expect.stringContaining("totp_devices") });
    expect(refused.output).not.toContain(before.holder.id);
    expect(await query("select count(*)::int as count from accounts")).toEqual([{ count: 0 }]);
    await query("alter table totp_devices drop constraint never");
    expect(await move(database.url)).toMatchObject({ exitCode: 0 });
  });

  test("are not moved from under a server that runs", async () => {
    const latchkey = await startOn({ DATA_DIR: dataDirectory() });
    try {
      expect(await move(database.url)).toMatchObject({ exitCode: 1, code: "SERVER_RUNNING" });
    } finally {
      await latchkey.close();
    }
    expect(await query("select table_name from information_schema.tables where table_schema = 'public'")).toEqual([]);
  });

  test("need a database that is there", async () => {
    const elsewhere = new URL(database.url);
    elsewhere.pathname = "/no_such_database";
    const absent = await move(elsewhere.href);
    expect(absent).toMatchObject({ code: "MOVE_REFUSED", message: expect.stringContaining("no such database") });
  });

  test("have to be embedded, and there", async () => {
    const nothing = await run(["move", "--to", database.url], { DATA_DIR: join(folder, "nothing") });
    expect(nothing).toMatchObject({ code: "DATA_DIRECTORY_ABSENT" });
    const { LATCHKEY_SECRET = "" } = world.latchkey.settings;
    for (const args of [
      ["move", "--to", database.url],
      ["restore", backupFile],
    ]) {
      const notEmbedded = await run(args, { DATABASE_URL: database.url, LATCHKEY_SECRET });
      expect(notEmbedded).toMatchObject({ exitCode: 1, code: "DATA_NOT_EMBEDDED" });
    }
  });
});
