import { describe, expect, onTestFinished, test } from "vitest";
import { createThrottle } from "../../src/accounts/index.ts";
import { connectRedis, openRedis, type Redis } from "../../src/storage/index.ts";
import { createMovableClock } from "../support/movable-clock.ts";
import { startRedis } from "../support/servers.ts";
import { createTestRedis } from "../support/stores.ts";
import { openPostgresRevocations } from "./revocation-grounds.ts";
import { throttleContract } from "./throttle.contract.ts";

async function connect(url: string): Promise<Redis> {
  const redis = openRedis({ url, onConnectionError: () => undefined });
  await connectRedis(redis);
  return redis;
}

describe("the throttle on Redis and Postgres", () => {
  throttleContract(async () => {
    const ground = await openPostgresRevocations();
    const store = await createTestRedis();
    const redis = [await connect(store.url), await connect(store.url)] as const;
    return {
      ground,
      redis,
      async close() {
        for (const one of redis) one.disconnect();
        await store.drop();
        await ground.close();
      },
    };
  });
});

test("while Redis is away each process counts for itself, says so once, and the account's own limit holds", async () => {
  const ground = await openPostgresRevocations();
  onTestFinished(() => ground.close());
  const server = await startRedis();
  const redis = await connect(server.url);
  onTestFinished(() => redis.disconnect());
  const { db } = await ground.connect();
  const failures: unknown[] = [];
  const reportFailure = (error: unknown): void => void failures.push(error);
  const clock = createMovableClock();
  const throttle = createThrottle({ db, clock, redis, reportFailure });
  const address = "203.0.113.7";
  expect(await throttle.countRegistration(address)).toEqual({ verdict: "open" });
  await server.stop();

  const outcomes: string[] = [];
  for (let count = 0; count < 60; count += 1) {
    const emailFolded = `person-${count}@example.com`;
    outcomes.push((await throttle.count({ emailFolded, address })).verdict);
  }
  expect(outcomes.filter((outcome) => outcome === "open")).toHaveLength(50);
  expect(failures).toHaveLength(1);
  const guesses = [];
  for (let count = 0; count < 12; count += 1) {
    const from = `198.51.100.${count}`;
    guesses.push((await throttle.count({ emailFolded: "alice@example.com", address: from })).verdict);
  }
  expect(guesses.filter((verdict) => verdict === "open")).toHaveLength(10);
});
