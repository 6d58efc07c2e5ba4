import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { get, IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { freePort, startRedis } from "../support/servers.ts";
import { createTestDatabase } from "../support/stores.ts";
import { startProcess, waitUntilReady } from "./latchkey-process.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const INSTALL_TIMEOUT_MS = 240_000;

let folder: string;

/** What the Dockerfile does, step by step, in an empty folder: copies what it copies, installs as it installs. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "latchkey-install-"));
  const dockerfile = await readFile(join(ROOT, "Dockerfile"), "utf8");
  for (const path of copiedPaths(dockerfile)) {
    // As .dockerignore has it: tests stay outside.
    const filter = (source: string): boolean => !source.endsWith(".test.ts");
    await cp(join(ROOT, path), join(folder, path), { recursive: true, filter });
  }
  const [, install = ""] = /^RUN (npm ci[^&\n]*)/m.exec(dockerfile) ?? [];
  await run("/bin/sh", ["-c", install], { cwd: folder, timeout: INSTALL_TIMEOUT_MS });
}, INSTALL_TIMEOUT_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

function copiedPaths(dockerfile: string): readonly string[] {
  const copies = dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm);
  return [...copies].flatMap(([, sources = ""]) => sources.split(" "));
}

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
  const [database, port] = [await createTestDatabase(), String(await freePort())];
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
  };
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

test("the tools of development are not installed", () => {
  const packages = ["vitest", "typescript", "playwright-core", "axe-core", "oxlint"];
  expect(packages.filter((name) => existsSync(join(folder, "node_modules", name)))).toEqual([]);
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
