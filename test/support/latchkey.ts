import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { type ClientSettings, type ResourceServerSettings } from "../../src/clients/index.ts";
import { compose, type Latchkey } from "../../src/compose.ts";
import { type Config, loadConfig, type SettingKey } from "../../src/config/index.ts";
import type { Clock } from "../../src/core/index.ts";
import type { ExternalKeys } from "../../src/oidc/index.ts";
import type { Logger } from "../../src/observability/index.ts";
import type { Person } from "./cast.ts";
import { freePort } from "./servers.ts";
import {
  createDataDirectory,
  createTableDatabase,
  createTestDatabase,
  createTestRedis,
  runSecret,
  type TestStore,
} from "./stores.ts";

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

/**
 * A whole server on a port of its own, with stores of its own, ready to be asked. Its signing keys are those of the run;
 * with a `LATCHKEY_SECRET` of its own it makes its own.
 */
export async function startLatchkey(options: LatchkeyOptions): Promise<TestLatchkey> {
  const ground = await layGround(options);
  const port = String(await freePort());
  const settings: Settings = {
    ISSUER: `http://localhost:${port}`,
    PORT: port,
    LATCHKEY_SECRET: runSecret(),
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

export function newSecret(): string {
  return randomBytes(48).toString("base64url");
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

async function layGround({ stores, settings = {} }: LatchkeyOptions): Promise<Ground> {
  const hasOwnSecret = settings.LATCHKEY_SECRET !== undefined;
  if (stores === "embedded") {
    const folder = await createDataDirectory(hasOwnSecret ? "tables" : "start");
    const drop = (): Promise<void> => rm(folder, { recursive: true, force: true });
    return { settings: { DATA_DIR: folder }, drop };
  }
  const database = hasOwnSecret ? await createTableDatabase() : await createTestDatabase();
  const redis: TestStore | undefined = stores === "redis" ? await createTestRedis() : undefined;
  return {
    settings: { DATABASE_URL: database.url, ...(redis === undefined ? {} : { REDIS_URL: redis.url }) },
    async drop() {
      await redis?.drop();
      await database.drop();
    },
  };
}
