import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClientSettings, type ResourceServerSettings } from "../../src/clients/index.ts";
import { compose, type Latchkey } from "../../src/compose.ts";
import { type Config, loadConfig, type SettingKey } from "../../src/config/index.ts";
import type { Clock } from "../../src/core/index.ts";
import type { ExternalKeys } from "../../src/oidc/index.ts";
import type { Logger } from "../../src/observability/index.ts";
import type { Person } from "./cast.ts";
import { freePort } from "./servers.ts";
import { createTestDatabase, createTestRedis, type TestStore } from "./stores.ts";

/** `redis`: Postgres and Redis. `postgres`: Postgres alone. `embedded`: PGlite in a temporary folder. */
export type Stores = "redis" | "postgres" | "embedded";

type Settings = Readonly<Partial<Record<SettingKey, string>>>;

export interface LatchkeyOptions {
  readonly stores: Stores;
  /** Over the tests' own; see src/config/settings.ts. */
  readonly settings?: Settings;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly externalKeys?: ExternalKeys;
}

export interface TestLatchkey extends Latchkey {
  readonly config: Config;
  readonly issuer: string;
  /** What it was configured with, to start a second node on the same stores. */
  readonly settings: Settings;
  /** Stops the server and leaves its stores, for another node to go on with. */
  stopNode(): Promise<void>;
  /** Stops the server and gives back its stores. */
  close(): Promise<void>;
}

/** A whole server on a port of its own, with fresh stores, ready to be asked. */
export async function startLatchkey(options: LatchkeyOptions): Promise<TestLatchkey> {
  const ground = await layGround(options.stores);
  const port = String(await freePort());
  const settings: Settings = {
    ISSUER: `http://localhost:${port}`,
    PORT: port,
    LATCHKEY_SECRET: randomBytes(48).toString("base64url"),
    MIGRATIONS: "apply",
    LOG_LEVEL: "silent",
    DEMO: "off",
    ...ground.settings,
    ...options.settings,
  };
  try {
    const server = await startNode({ ...options, settings });
    return {
      ...server,
      async close() {
        try {
          await server.close();
        } finally {
          await ground.drop();
        }
      },
    };
  } catch (error) {
    await ground.drop();
    throw error;
  }
}

/** One node on stores that are somebody else's: the second of two, or the same one after a restart. */
export async function startNode(options: Omit<LatchkeyOptions, "stores"> & { readonly settings: Settings }) {
  const config = loadConfig(options.settings);
  const { clock, logger, externalKeys } = options;
  const latchkey = await compose(config, {
    ...(clock === undefined ? {} : { clock }),
    ...(logger === undefined ? {} : { logger }),
    ...(externalKeys === undefined ? {} : { externalKeys }),
  });
  try {
    await latchkey.listen();
  } catch (error) {
    await latchkey.close();
    throw error;
  }
  const isRunning = { now: true };
  const stopNode = async (): Promise<void> => {
    if (isRunning.now) await latchkey.close();
    isRunning.now = false;
  };
  const { issuer } = config;
  return { ...latchkey, config, issuer, settings: options.settings, stopNode, close: stopNode } satisfies TestLatchkey;
}

/** Registers people as the pages would, and clients as an operator would. */
export async function populate(
  { accounts, clients }: Pick<Latchkey, "accounts" | "clients">,
  cast: {
    readonly people?: readonly Person[];
    readonly resourceServers?: readonly ResourceServerSettings[];
    readonly clients?: readonly ClientSettings[];
  },
): Promise<ReadonlyMap<string, string>> {
  for (const person of cast.people ?? []) await accounts.register(person, "operator");
  for (const resourceServer of cast.resourceServers ?? []) await clients.addResourceServer(resourceServer);
  const secrets = new Map<string, string>();
  for (const client of cast.clients ?? []) {
    const { secret } = await clients.addClient(client);
    if (secret !== undefined) secrets.set(client.id, secret);
  }
  return secrets;
}

interface Ground {
  readonly settings: Settings;
  drop(): Promise<void>;
}

async function layGround(stores: Stores): Promise<Ground> {
  if (stores === "embedded") {
    const folder = await mkdtemp(join(tmpdir(), "latchkey-data-"));
    const drop = (): Promise<void> => rm(folder, { recursive: true, force: true });
    return { settings: { DATA_DIR: folder }, drop };
  }
  const database = await createTestDatabase();
  const redis: TestStore | undefined = stores === "redis" ? await createTestRedis() : undefined;
  return {
    settings: { DATABASE_URL: database.url, ...(redis === undefined ? {} : { REDIS_URL: redis.url }) },
    async drop() {
      await redis?.drop();
      await database.drop();
    },
  };
}
