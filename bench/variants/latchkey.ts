import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { freePort } from "../../test/support/servers.ts";
import { startBalancer } from "../../test/support/balancer.ts";
import { populateLatchkey } from "../latchkey/population.ts";
import { registerCast } from "../latchkey/registration.ts";
import type { StoreUrls } from "../stores.ts";
import { imageStart } from "./image-start.ts";
import { PROGRAMS } from "./programs.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";
import type { RunningVariant, Variant } from "./variant.ts";

const ROTATOR = join(import.meta.dirname, "../latchkey/rotator.ts");

/** Latchkey itself as its image starts it, with its settings as they come, on Redis and Postgres and behind one proxy. */
export const latchkey: Variant = {
  name: "latchkey",
  async start({ stores, personCount }) {
    const { issuer, port, settings, clientSecret } = await prepare(stores, personCount);
    return { name: "latchkey", issuer, clientSecret, ...(await startNode(settings, port)) };
  },
  populate: populateLatchkey,
};

/** Latchkey as so many processes behind one port. */
export function latchkeyAsProcesses(count: number): Pick<Variant, "name" | "start"> {
  const name = `${count}_processes` as const;
  return {
    name,
    async start({ stores, personCount }) {
      const { issuer, port, settings, clientSecret } = await prepare(stores, personCount);
      const args = ["serve", "--workers", String(count)];
      return { name, issuer, clientSecret, ...(await startNode(settings, port, args)) };
    },
  };
}

/** A deployment whose signing keys may be rotated two seconds after they were published, and which is watched. */
export interface RotatingLatchkey extends LatchkeyNodes {
  readonly metricsPort: number;
  /** Has other keys sign from now on. */
  rotateKeys(): Promise<void>;
}

export async function startRotatingLatchkey(stores: StoreUrls, personCount: number): Promise<RotatingLatchkey> {
  const { issuer, port, settings, clientSecret } = await prepare(stores, personCount);
  const metricsPort = await freePort();
  const compressed = { ...settings, KEY_LEAD_SECONDS: "2", JWKS_CACHE_SECONDS: "1", METRICS_PORT: String(metricsPort) };
  await using started = new AsyncDisposableStack();
  const node = await startNode(compressed, port);
  started.defer(() => node.stop());
  const rotator = fork(ROTATOR, { env: { PATH: process.env["PATH"], ...compressed } });
  started.defer(() => rotator.disconnect());
  await messageOf(rotator);
  const everything = started.move();
  return {
    issuer,
    clientSecret,
    metricsPort,
    async rotateKeys() {
      const rotated = messageOf(rotator);
      rotator.send("rotate");
      await rotated;
    },
    stop: () => everything.disposeAsync(),
  };
}

/** What it says next. @throws Error when it ends instead. */
async function messageOf(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit").then(() => Promise.reject(new Error("the process that rotates keys has ended")));
  await Promise.race([once(child, "message"), ended]);
}

/** How long one takes to be ready again and again, on stores that have everything. */
export async function measureStarts(stores: StoreUrls, { workers, count }: { workers: number; count: number }) {
  const { port, settings } = await prepare(stores, 1);
  const readyMs: number[] = [];
  for (let start = 0; start < count; start += 1) {
    const node = await startNode(settings, port, workers === 1 ? ["serve"] : ["serve", "--workers", String(workers)]);
    readyMs.push(node.readyMs);
    await node.stop();
  }
  return readyMs;
}

async function prepare(stores: StoreUrls, personCount: number) {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const settings = settingsOf(stores, issuer);
  return { issuer, port, settings, clientSecret: await registerCast(settings, personCount) };
}

/** Several nodes of one deployment, reached through a balancer. */
export type LatchkeyNodes = Pick<RunningVariant, "issuer" | "clientSecret" | "stop">;

export async function startLatchkeyNodes(options: {
  readonly stores: StoreUrls;
  readonly personCount: number;
  readonly nodeCount: number;
  /** Over those that all nodes have. */
  readonly settings?: Readonly<Record<string, string>>;
}): Promise<LatchkeyNodes> {
  await using started = new AsyncDisposableStack();
  const balancer = await startBalancer();
  started.defer(() => balancer.close());
  const issuer = `http://127.0.0.1:${balancer.port}`;
  const settings = { ...settingsOf(options.stores, issuer), ...options.settings };
  const clientSecret = await registerCast(settings, options.personCount);
  const ports: number[] = [];
  for (let index = 0; index < options.nodeCount; index += 1) {
    const port = await freePort();
    const node = await startNode(settings, port);
    started.defer(() => node.stop());
    ports.push(port);
  }
  balancer.serve(ports);
  const everything = started.move();
  return { issuer, clientSecret, stop: () => everything.disposeAsync() };
}

function settingsOf(stores: StoreUrls, issuer: string): Record<string, string> {
  return {
    ISSUER: issuer,
    DATABASE_URL: stores.postgresUrl,
    REDIS_URL: stores.redisUrl,
    LATCHKEY_SECRET: randomBytes(48).toString("base64url"),
    MIGRATIONS: "apply",
    TRUSTED_PROXIES: "1",
    // Nothing sends requests elsewhere meanwhile.
    SHUTDOWN_DELAY_SECONDS: "0",
    // A hundred services under one client's name: as many clients as services would only take longer to set up.
    FEED_CLIENT_CONNECTIONS_MAX: "100",
  };
}

function startNode(
  settings: Record<string, string>,
  port: number,
  args: readonly string[] = ["serve"],
): Promise<ServerProcess> {
  return startServerProcess({
    script: PROGRAMS.latchkey,
    args,
    settings: { ...settings, PORT: String(port) },
    start: imageStart(),
    readyUrl: `http://127.0.0.1:${port}/health/ready`,
  });
}
