import { startPostgres, startRedis } from "../test/support/servers.ts";

export interface StoreUrls {
  readonly redisUrl: string;
  readonly postgresUrl: string;
}

/** A Redis and a Postgres that nobody used before, for one variant alone. */
export interface PrivateStores extends StoreUrls {
  stop(): Promise<void>;
}

export async function startStores(): Promise<PrivateStores> {
  await using started = new AsyncDisposableStack();
  const redis = await startRedis();
  started.defer(() => redis.stop());
  const postgres = await startPostgres();
  started.defer(() => postgres.stop());
  const everything = started.move();
  return { redisUrl: redis.url, postgresUrl: postgres.url, stop: () => everything.disposeAsync() };
}
