import { Redis } from "ioredis";
import { z } from "zod";

// In database 0: the numbers that nobody uses. SPOP hands each out once, however many workers ask.
const FREE_NUMBERS_KEY = "latchkey-tests:free-databases";

/** Notes which database numbers the Redis at `serverUrl` has, once per run. */
export async function noteDatabaseNumbers(serverUrl: string): Promise<void> {
  await onRedis(serverUrl, async (redis) => {
    const [, count] = z
      .tuple([z.literal("databases"), z.coerce.number()])
      .parse(await redis.config("GET", "databases"));
    await redis.del(FREE_NUMBERS_KEY);
    await redis.sadd(FREE_NUMBERS_KEY, ...Array.from({ length: count - 1 }, (_, index) => index + 1));
  });
}

/** @throws Error when every number is in use. */
export async function claimDatabaseNumber(serverUrl: string): Promise<string> {
  const number = await onRedis(serverUrl, (redis) => redis.spop(FREE_NUMBERS_KEY));
  if (number === null) {
    throw new Error("The tests' Redis has no unused database left: give it more (redis-server --databases 256).");
  }
  return number;
}

export async function releaseDatabaseNumber(serverUrl: string, number: string): Promise<void> {
  await onRedis(serverUrl, (redis) =>
    redis.multi().select(Number(number)).flushdb().select(0).sadd(FREE_NUMBERS_KEY, number).exec(),
  );
}

async function onRedis<Result>(url: string, work: (redis: Redis) => Promise<Result>): Promise<Result> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
