import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, inject, onTestFinished, test } from "vitest";
import { Browser } from "../support/browser.ts";
import { alice } from "../support/cast.ts";
import { signInAs } from "../support/journeys.ts";
import { freePort } from "../support/servers.ts";
import { copyEmbedded } from "../support/templates.ts";
import { isListening, type LatchkeyProcess, startProcess, waitUntilReady } from "./latchkey-process.ts";

const ROOT = join(import.meta.dirname, "../..");

let settings: {
  DATA_DIR: string;
  PORT: string;
  METRICS_PORT: string;
  DEMO_APP_PORT: string;
  DEMO_API_PORT: string;
  LOG_LEVEL: string;
};

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-embedded-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  settings = {
    DATA_DIR: join(folder, "data"),
    PORT: String(await freePort()),
    METRICS_PORT: String(await freePort()),
    DEMO_APP_PORT: String(await freePort()),
    DEMO_API_PORT: String(await freePort()),
    LOG_LEVEL: "warn",
  };
});

function start(changes: Partial<typeof settings> = {}): LatchkeyProcess {
  const server = startProcess({ folder: ROOT, settings: { ...settings, ...changes } });
  onTestFinished(() => void server.process.kill("SIGKILL"));
  return server;
}

async function startReady(): Promise<LatchkeyProcess> {
  const server = start();
  await waitUntilReady(server, settings.PORT);
  await expect.poll(() => server.output(), { timeout: 10_000 }).toContain("Ctrl-C");
  return server;
}

/** A data directory that was used before is ready sooner. */
const startAgain = async (): Promise<LatchkeyProcess> => {
  await copyEmbedded(inject("runFolder"), settings.DATA_DIR, "start");
  return startReady();
};

test("a first start in an empty folder prints where to open, where the data is and what the demo is", async () => {
  const server = await startReady();
  const issuer = `http://localhost:${settings.PORT}`;
  expect(server.output()).toContain(issuer);
  expect(server.output()).toContain(settings.DATA_DIR);
  expect(server.output()).toContain(`http://localhost:${settings.DEMO_APP_PORT}`);
  expect((await fetch(issuer)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${settings.DEMO_APP_PORT}/`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${settings.DEMO_API_PORT}/orders`)).status).toBe(401);
  expect(server.output()).not.toMatch(/warn/i);
});

test("its data directory and its secret are for their owner's eyes only [ASVS 13.3.1]", async () => {
  await startReady();
  const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
  expect(await modeOf(settings.DATA_DIR)).toBe(0o700);
  expect(await modeOf(join(settings.DATA_DIR, "secret"))).toBe(0o600);
});

test("a second start on the same data directory stops with a sentence, and the first one goes on", async () => {
  await startAgain();
  const second = start({
    PORT: String(await freePort()),
    DEMO_APP_PORT: String(await freePort()),
    DEMO_API_PORT: String(await freePort()),
  });
  expect(await second.exited).toBe(1);
  expect(second.output().trim()).toMatch(/^Latchkey is already running on the data directory .+\.$/);
  expect((await fetch(`http://localhost:${settings.PORT}/health/ready`)).status).toBe(200);
});

test("an account outlives kill -9", async () => {
  const server = await startAgain();
  const issuer = `http://localhost:${settings.PORT}`;
  const browser = new Browser();
  const form = await browser.open(`${issuer}/create-account`);
  const welcome = await browser.submit(form, form.formWith("name"), { values: { ...alice } });
  expect(welcome.heading).toBe(`Hello, ${alice.name}`);
  server.process.kill("SIGKILL");
  await server.exited;
  await startReady();
  expect((await browser.open(`${issuer}/account`)).heading).toBe(`Hello, ${alice.name}`);
  expect((await signInAs(new Browser(), alice, issuer)).heading).toBe(`Hello, ${alice.name}`);
});

test("Ctrl-C stops it in order, the demo included", async () => {
  const server = await startAgain();
  server.process.kill("SIGINT");
  expect(await server.exited).toBe(0);
  for (const port of [settings.PORT, settings.METRICS_PORT, settings.DEMO_APP_PORT, settings.DEMO_API_PORT]) {
    expect(await isListening(port)).toBe(false);
  }
});

test.each(["PORT", "METRICS_PORT", "DEMO_APP_PORT", "DEMO_API_PORT"] as const)(
  "a %s in use is a sentence that names it",
  async (key) => {
    const other = createServer().listen({ host: "127.0.0.1", port: Number(settings[key]) });
    await once(other, "listening");
    onTestFinished(() => void other.close());
    await copyEmbedded(inject("runFolder"), settings.DATA_DIR, "start");
    const server = start();
    expect(await server.exited).toBe(1);
    expect(server.output()).toContain(`Port ${settings[key]}`);
    expect(server.output()).toContain(key);
    expect(server.output()).not.toMatch(/\n\s+at /);
  },
);
