import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type LatchkeyProcess, startProcess, waitUntilReady } from "../../install/latchkey-process.ts";
import { builtServer } from "../../support/built-server.ts";
import { scrape } from "../../support/prometheus.ts";
import { askNode } from "../../support/raw-http.ts";
import { freePort } from "../../support/servers.ts";
import { createTestDatabase, createTestRedis, runSecret } from "../../support/stores.ts";

const EVENTUALLY = { timeout: 20_000, interval: 20 };

let settings: Record<string, string>;
let issuer: string;

beforeEach(async () => {
  const [database, redis, port] = [await createTestDatabase(), await createTestRedis(), String(await freePort())];
  onTestFinished(async () => void (await Promise.all([database.drop(), redis.drop()])));
  issuer = `http://localhost:${port}`;
  settings = {
    ISSUER: issuer,
    PORT: port,
    METRICS_PORT: String(await freePort()),
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    LATCHKEY_SECRET: runSecret(),
    MIGRATIONS: "apply",
  };
});

async function start(args: readonly string[]): Promise<LatchkeyProcess> {
  const server = startProcess({ folder: await builtServer(), settings, args: ["serve", ...args] });
  onTestFinished(async () => {
    server.process.kill("SIGTERM");
    await server.exited;
  });
  return server;
}

async function startReady(...args: readonly string[]): Promise<LatchkeyProcess> {
  const server = await start(["--workers", "2", ...args]);
  await waitUntilReady(server, settings["PORT"] ?? "");
  await expect.poll(() => server.output(), EVENTUALLY).toContain(`Latchkey is ready at ${issuer}, with 2 workers.`);
  return server;
}

/** Whose lines the log has of this path, by the workers' names. */
function workersThatAnswered(server: LatchkeyProcess, path: string): ReadonlySet<string> {
  const lines = server.output().split("\n");
  const requests = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Line);
  return new Set(requests.filter((line) => line.path === path).map(({ worker = "" }) => worker));
}

interface Line {
  readonly worker?: string;
  readonly path?: string;
  readonly msg: string;
}

/** A new connection each time: it is connections that are shared out. */
const ask = (path: string): ReturnType<typeof askNode> => askNode(`${issuer}${path}`);

async function processIdsBelow(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.trim().split(" ").map(Number);
}

/** As a proxy does: a connection that broke before there was an answer is tried once more. */
const askAgain = (path: string): ReturnType<typeof askNode> => ask(path).catch(() => ask(path));

/** As `latchkey doctor` names them. */
async function listNodeNames(): Promise<readonly string[]> {
  const command = startProcess({ folder: await builtServer(), settings, args: ["plan", "--json"] });
  expect(await command.exited, command.output()).toBe(0);
  const { nodes } = JSON.parse(command.output()) as { readonly nodes: readonly { readonly name: string }[] };
  return nodes.map(({ name }) => name).toSorted();
}

const APPLIED = `
resources:
  - identifier: https://api.example.com
    name: Orders
    scopes:
      - { name: "orders:read", description: See your orders }
`;

describe("two workers", () => {
  test("apply a file once, share a port, and what they count is added up", async () => {
    const folder = await mkdtemp(join(tmpdir(), "latchkey-workers-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "clients.yaml");
    await writeFile(file, APPLIED);
    const server = await startReady("--apply", file);
    expect(server.output().split("resource server https://api.example.com")).toHaveLength(2);
    for (let count = 0; count < 20; count += 1) expect((await ask("/jwks")).status).toBe(200);
    await expect.poll(() => workersThatAnswered(server, "/jwks").size, EVENTUALLY).toBe(2);
    const metrics = scrape(settings["METRICS_PORT"] ?? "");
    expect(await metrics.valueOf("latchkey_http_request_duration_seconds_count", { route: "/jwks" })).toBe(20);
    expect(await listNodeNames()).toEqual([1, 2].map((worker) => `${hostname()}:${settings["PORT"]}/${worker}`));
    // Of the deployment, however many report it.
    expect(await metrics.valueOf("latchkey_signing_keys", { algorithm: "ES256", state: "current" })).toBe(1);
  });

  test("are replaced when they are killed, meanwhile the other answers, and all stop in order", async () => {
    const server = await startReady();
    const before = await processIdsBelow(server.process.pid ?? 0);
    expect(before).toHaveLength(2);
    process.kill(before[0] ?? 0, "SIGKILL");
    for (let count = 0; count < 20; count += 1) expect((await askAgain("/jwks")).status).toBe(200);
    await expect.poll(() => server.output(), EVENTUALLY).toContain("a worker ended, and another takes its place");
    await expect
      .poll(async () => {
        await ask("/jwks");
        return [...workersThatAnswered(server, "/jwks")];
      }, EVENTUALLY)
      .toContain("3");
    const after = await processIdsBelow(server.process.pid ?? 0);
    expect(after).toHaveLength(2);
    expect(after).toContain(before[1]);
    // As systemd does, which tells every process of a service; the supervisor passes it on besides.
    for (const pid of after) process.kill(pid, "SIGTERM");
    server.process.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    for (const pid of after) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  test("end with a supervisor that was killed", async () => {
    const server = await startReady();
    const workers = await processIdsBelow(server.process.pid ?? 0);
    server.process.kill("SIGKILL");
    for (const pid of workers) {
      await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), EVENTUALLY);
    }
  });
});

describe("what keeps workers from starting is said once, in a sentence", () => {
  test.each(["PORT", "METRICS_PORT"])("a %s in use", async (key) => {
    const other = createServer().listen(Number(settings[key]), "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => void other.close());
    const server = await start(["--workers", "2"]);
    expect(await server.exited).toBe(1);
    const sentence = `Port ${settings[key]} is in use. Stop what uses it, or set ${key} to another port.`;
    expect(server.output().trim()).toBe(sentence);
  });

  test("the workers of another deployment, which would share the port", async () => {
    const other = createServer().listen({ port: Number(settings["PORT"]), host: "127.0.0.1", reusePort: true });
    await once(other, "listening");
    onTestFinished(() => void other.close());
    const server = await start(["--workers", "2"]);
    expect(await server.exited).toBe(1);
    expect(server.output()).toContain(`Port ${settings["PORT"]} is in use.`);
  });

  test("the embedded database, which one process has to itself", async () => {
    const { DATABASE_URL: _, REDIS_URL: __, LATCHKEY_SECRET: ___, ...embedded } = settings;
    const server = startProcess({ folder: await builtServer(), settings: embedded, args: ["serve", "--workers", "2"] });
    expect(await server.exited).toBe(1);
    expect(server.output()).toMatch(/^More than one worker needs .* set DATABASE_URL, or leave --workers out\.\n$/);
  });
});
