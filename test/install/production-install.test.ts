import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { get, IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { freePort, startRedis } from "../support/servers.ts";
import { createEmptyDatabase } from "../support/stores.ts";
import { buildImageFolder } from "./image-folder.ts";
import { startProcess, waitUntilReady } from "./latchkey-process.ts";

const ROOT = join(import.meta.dirname, "../..");
const INSTALL_TIMEOUT_MS = 240_000;

/** Everything that was made on the way, and in it what the image holds at last. */
let container: string;
let folder: string;

beforeAll(async () => {
  container = await mkdtemp(join(tmpdir(), "latchkey-install-"));
  folder = await buildImageFolder(container);
}, INSTALL_TIMEOUT_MS);

afterAll(() => rm(container, { recursive: true, force: true }));

/** Asks as a proxy does: at the server's address, with the name that people use. */
async function discover(
  port: string,
  host: string,
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const request = get({ host: "127.0.0.1", port, path: "/.well-known/openid-configuration", headers: { host } });
  const [response] = z.tuple([z.instanceof(IncomingMessage)]).parse(await once(request, "response"));
  return { status: response.statusCode, body: await text(response) };
}

async function productionSettings() {
  const [database, port] = [await createEmptyDatabase(), String(await freePort())];
  // As compose.yaml has it; the server would warn of another one.
  const redis = await startRedis(["--appendonly", "yes"]);
  onTestFinished(async () => {
    await redis.stop();
    await database.drop();
  });
  return {
    NODE_ENV: "production",
    ISSUER: "https://id.example.com",
    PORT: port,
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    LATCHKEY_SECRET: randomBytes(48).toString("base64"),
    MIGRATIONS: "apply",
    SHUTDOWN_DELAY_SECONDS: "0",
    // Nobody is asked for anything that is mailed.
    MAIL_URL: "smtps://user:password@mail.example.com",
    MAIL_FROM: "id@example.com",
  };
}

/** @returns what it answered, as JSON. */
async function runCommand(settings: Readonly<Record<string, string>>, args: readonly string[]): Promise<string> {
  const command = startProcess({ folder, settings, args: [...args, "--json"] });
  expect(await command.exited, command.output()).toBe(0);
  return command.output();
}

test("what the image holds starts on fresh stores, answers for its issuer alone, and stops in order", async () => {
  const settings = await productionSettings();
  const server = startProcess({ folder, settings });
  onTestFinished(() => void server.process.kill("SIGKILL"));
  await waitUntilReady(server, settings.PORT);
  const asItself = await discover(settings.PORT, "id.example.com");
  expect(JSON.parse(asItself.body)).toMatchObject({ issuer: "https://id.example.com" });
  expect((await discover(settings.PORT, "localhost")).status).toBe(421);
  server.process.kill("SIGTERM");
  expect(await server.exited).toBe(0);
  expect(server.output()).not.toMatch(/warn/i);
});

test("a client that its command line added gets a signed token from its server", async () => {
  const production = await productionSettings();
  const settings = { ...production, ISSUER: `http://127.0.0.1:${production.PORT}` };
  const api = "https://orders.example.com";
  await runCommand(settings, ["resource", "add", api, "--name", "Orders", "--scope", "orders:read=See orders"]);
  const credentials = ["--auth-method", "client_secret_basic", "--resource", `${api}=orders:read`];
  const added = await runCommand(settings, ["client", "add", "billingApi", "--name", "Billing", ...credentials]);
  const { secret } = z.object({ secret: z.string() }).parse(JSON.parse(added));
  const server = startProcess({ folder, settings });
  onTestFinished(() => void server.process.kill("SIGKILL"));
  await waitUntilReady(server, settings.PORT);
  const answer = await fetch(`${settings.ISSUER}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`billingApi:${secret}`).toString("base64")}` },
    body: new URLSearchParams({ grant_type: "client_credentials", resource: api, scope: "orders:read" }),
  });
  expect(await answer.json()).toMatchObject({ token_type: "Bearer", scope: "orders:read" });
});

test("the tools of development are not installed", () => {
  const packages = ["vitest", "typescript", "playwright-core", "axe-core", "oxlint"];
  expect(packages.filter((name) => existsSync(join(folder, "node_modules", name)))).toEqual([]);
});

test("it is JavaScript: neither TypeScript nor a test is left of the sources", async () => {
  const ours = (await readdir(folder)).filter((name) => name !== "node_modules");
  expect(ours.toSorted()).toEqual([
    "LICENSE",
    "bin",
    "config",
    "examples",
    "migrations",
    "package.json",
    "src",
    "views",
  ]);
  const files = await Promise.all(ours.map((name) => readdir(join(folder, name), { recursive: true }).catch(() => [])));
  expect(files.flat()).toContain("cli.js");
  expect(files.flat().filter((file) => /\.ts$|\.test\.|\.map$/.test(file))).toEqual([]);
});

test("a database that a checkout has migrated is up to date for the image", async () => {
  const settings = await productionSettings();
  const fromSources = startProcess({ folder: ROOT, settings, args: ["migrate"] });
  expect(await fromSources.exited).toBe(0);
  const fromImage = startProcess({ folder, settings: { ...settings, MIGRATIONS: "check" }, args: ["migrate"] });
  expect(await fromImage.exited).toBe(0);
  expect(fromImage.output().trim()).toBe("The database is up to date.");
});

test("without a database it serves the demo, its app and its API", async () => {
  const [port, appPort, apiPort] = [String(await freePort()), String(await freePort()), String(await freePort())];
  const settings = { DATA_DIR: join(container, "data"), PORT: port, DEMO_APP_PORT: appPort, DEMO_API_PORT: apiPort };
  const server = startProcess({ folder, settings });
  onTestFinished(() => void server.process.kill("SIGKILL"));
  await waitUntilReady(server, port);
  await expect.poll(() => server.output(), { timeout: 10_000 }).toContain("Ctrl-C");
  expect((await fetch(`http://127.0.0.1:${appPort}/vendor/oauth4webapi.js`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${apiPort}/orders`)).status).toBe(401);
});

test("while migrations are pending the server does not start, and says what to do", async () => {
  const settings = { ...(await productionSettings()), MIGRATIONS: "check" };
  const server = startProcess({ folder, settings });
  expect(await server.exited).toBe(1);
  expect(server.output()).toContain("latchkey migrate");
  const migration = startProcess({ folder, settings, args: ["migrate"] });
  expect(await migration.exited).toBe(0);
  const migrated = startProcess({ folder, settings });
  onTestFinished(() => void migrated.process.kill("SIGKILL"));
  await waitUntilReady(migrated, settings.PORT);
  migrated.process.kill("SIGTERM");
  expect(await migrated.exited).toBe(0);
});

test("a start without settings for production names every fault at once", async () => {
  const settings = {
    DATABASE_URL: "mysql://localhost/latchkey",
    ISSUER: "http://id.example.com/",
    LATCHKEY_SECRET: "short",
  };
  const server = startProcess({ folder, settings });
  expect(await server.exited).toBe(1);
  for (const key of Object.keys(settings)) expect(server.output()).toContain(key);
  expect(server.output()).not.toMatch(/\n\s+at /);
});
