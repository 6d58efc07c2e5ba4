/**
 * Starts real servers for tests and benchmarks: Redis and Postgres on loopback, in temporary folders, from the programs
 * of this machine. It knows nothing of vitest. What the whole run shares is started by `global-setup.ts`; a test that
 * breaks, stops or stalls a server starts one of its own here.
 */
import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { chown, mkdtemp, statfs, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import pg from "pg";
import { ensureBinary, INITDB, POSTGRES, REDIS } from "./binaries.ts";
import { type GuardedProcess, startGuarded } from "./guarded-process.ts";

const run = promisify(execFile);
const START_TIMEOUT_MS = 20_000;
const CLUSTER_BYTES_MAX = 4e9;

export interface TestServer {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** Has a server listen on loopback; resolves with its port. */
export async function listenOnLoopback(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  return address.port;
}

/** Below those that the system gives to outgoing connections, of which tests open thousands. */
const FREE_PORTS = { first: 10_240, end: 32_768 };

/** A port of loopback that was free a moment ago, and that nothing takes by chance. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FREE_PORTS.first, FREE_PORTS.end);
    const server = createServer();
    try {
      await once(server.listen(port, "127.0.0.1"), "listening");
    } catch {
      continue;
    }
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** A Redis that keeps nothing on disk. `args` are appended, and win (`["--maxmemory-policy", "allkeys-lru"]`). */
export async function startRedis(args: readonly string[] = []): Promise<TestServer> {
  const command = await ensureBinary(REDIS);
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "latchkey-redis-"));
  const listening = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
  const volatile = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"];
  // Enough numbers for every test file to have one to itself, few enough for Redis to expire keys in all of them.
  const databases = ["--databases", "256"];
  const server = startGuarded({
    command,
    args: [...listening, ...volatile, ...databases, ...args],
    folder,
    stopSignal: "TERM",
  });
  await waitUntilReady(server, () => pingRedis(port));
  return { url: `redis://127.0.0.1:${port}`, port, stop: () => server.stop() };
}

/** A Sentinel that watches one Redis and its replicas, under the name `primary`, and is quick to replace it. */
export async function startSentinel(watched: TestServer): Promise<TestServer> {
  const command = await ensureBinary(REDIS);
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "latchkey-sentinel-"));
  const config = join(folder, "sentinel.conf");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor primary 127.0.0.1 ${watched.port} 1`,
    "sentinel down-after-milliseconds primary 300",
    "sentinel failover-timeout primary 2000",
  ];
  await writeFile(config, `${lines.join("\n")}\n`);
  const server = startGuarded({ command, args: [config, "--sentinel"], folder, stopSignal: "TERM" });
  await waitUntilReady(server, () => pingRedis(port));
  return { url: `redis+sentinel://127.0.0.1:${port}/primary`, port, stop: () => server.stop() };
}

async function pingRedis(port: number): Promise<void> {
  const redis = new Redis({ host: "127.0.0.1", port, lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}

/** A Postgres cluster that trusts loopback and does not fsync. Its URL is that of a superuser. */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const [initdb, postgres] = [await ensureBinary(INITDB), await ensureBinary(POSTGRES)];
  const port = await freePort();
  const folder = await mkdtemp(join(await roomyFolder(), "latchkey-postgres-"));
  const user = await unprivilegedUser();
  if (user !== undefined) await chown(folder, user.uid, user.gid);
  const data = join(folder, "data");
  await run(initdb, ["-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"], {
    cwd: folder,
    ...user,
  });
  const all = { ...VOLATILE_POSTGRES, port: String(port), ...settings };
  const args = Object.entries(all).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
  const server = startGuarded({
    command: postgres,
    args: ["-D", data, ...args],
    folder,
    // Immediate: nothing of the cluster is worth a checkpoint.
    stopSignal: "QUIT",
    ...(user === undefined ? {} : { user }),
  });
  const url = `postgres://tests@127.0.0.1:${port}/postgres`;
  await waitUntilReady(server, () => pingPostgres(url));
  return { url, port, stop: () => server.stop() };
}

/** Memory, where there is plenty: a new database is a thousand files, which takes half a second on a disk. */
async function roomyFolder(): Promise<string> {
  const shared = "/dev/shm";
  const room = await statfs(shared).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  return Math.min(room, freemem()) > CLUSTER_BYTES_MAX ? shared : tmpdir();
}

const VOLATILE_POSTGRES = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "400",
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
  autovacuum: "off",
  max_wal_size: "256MB",
  log_min_messages: "warning",
} as const;

/** Postgres refuses to run as root. */
async function unprivilegedUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = async (flag: "-u" | "-g"): Promise<number> => Number((await run("id", [flag, "postgres"])).stdout);
  return { uid: await idOf("-u"), gid: await idOf("-g") };
}

async function pingPostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on("error", () => undefined);
  await client.connect();
  await client.end();
}

async function waitUntilReady(server: GuardedProcess, ping: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await ping();
    } catch (cause) {
      if (Date.now() > deadline) {
        await server.stop();
        throw new Error(`A server for the tests did not start. It printed: ${server.output()}`, { cause });
      }
    }
    await delay(10);
  }
}
