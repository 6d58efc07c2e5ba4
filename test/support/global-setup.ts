import type { TestProject } from "vitest/node";
import { noteDatabaseNumbers } from "./redis-databases.ts";
import { startPostgres, startRedis } from "./servers.ts";

/** The servers that one run of vitest shares, and how many of its projects still use them. */
interface Ground {
  readonly urls: Promise<{ readonly redisUrl: string; readonly databaseUrl: string }>;
  readonly stop: () => Promise<void>;
  users: number;
}

// Vitest loads this module once per project, so what they share hangs on the one global object of the process.
const GROUND = Symbol.for("latchkey.test.ground");
const shared: typeof globalThis & { [GROUND]?: Ground } = globalThis;

/** Starts Redis and Postgres for the first project that asks; the last one to finish stops them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const ground = (shared[GROUND] ??= startGround());
  ground.users += 1;
  const { redisUrl, databaseUrl } = await ground.urls;
  project.provide("redisUrl", redisUrl);
  project.provide("databaseUrl", databaseUrl);
  return async () => {
    ground.users -= 1;
    if (ground.users > 0) return;
    delete shared[GROUND];
    await ground.stop();
  };
}

/** `TEST_REDIS_URL` and `TEST_DATABASE_URL` (of a user who may create databases) take the place of our own. */
function startGround(): Ground {
  const given = (key: string) => {
    const url = process.env[key];
    return url ? { url, stop: async () => {} } : undefined;
  };
  const redis = Promise.resolve(given("TEST_REDIS_URL") ?? startRedis());
  const postgres = Promise.resolve(given("TEST_DATABASE_URL") ?? startPostgres());
  const servers = Promise.all([redis, postgres]);
  return {
    users: 0,
    urls: servers.then(async ([{ url: redisUrl }, { url: databaseUrl }]) => {
      await noteDatabaseNumbers(redisUrl);
      return { redisUrl, databaseUrl };
    }),
    stop: async () => {
      for (const started of await Promise.allSettled([redis, postgres])) {
        if (started.status === "fulfilled") await started.value.stop();
      }
    },
  };
}
