import { randomBytes } from "node:crypto";
import type { TestProject } from "vitest/node";
import { noteDatabaseNumbers } from "./redis-databases.ts";
import { dropTemplates, type RunStores } from "./run-stores.ts";
import { startPostgres, startRedis } from "./servers.ts";
import { shareInRun } from "./share-in-run.ts";

/** Starts Redis and Postgres for the first project that asks; the last one to finish stops them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { value, release } = shareInRun("stores", startStores);
  project.provide("stores", await value);
  return release;
}

/** `TEST_REDIS_URL` and `TEST_DATABASE_URL` (of a user who may create databases) take the place of our own. */
function startStores() {
  const given = (key: string) => {
    const url = process.env[key];
    return url ? { url, stop: async () => {} } : undefined;
  };
  const redis = Promise.resolve(given("TEST_REDIS_URL") ?? startRedis());
  const postgres = Promise.resolve(given("TEST_DATABASE_URL") ?? startPostgres());
  const value = Promise.all([redis, postgres]).then(async ([{ url: redisUrl }, { url: databaseUrl }]) => {
    await noteDatabaseNumbers(redisUrl);
    const [id, secret] = [randomBytes(8).toString("hex"), randomBytes(48).toString("base64url")];
    return { redisUrl, databaseUrl, id, secret } satisfies RunStores;
  });
  return {
    value,
    async stop() {
      await value.then(dropTemplates, () => undefined);
      for (const started of await Promise.allSettled([redis, postgres])) {
        if (started.status === "fulfilled") await started.value.stop();
      }
    },
  };
}
