import { setTimeout as delay } from "node:timers/promises";
import { createLoad } from "../load/load.ts";
import { startWaveCounter } from "../load/wave-counter.ts";
import { median, type Row } from "../report.ts";
import { startStores } from "../stores.ts";
import type { Variant } from "../variants/variant.ts";
import type { NamedOperation } from "./taking-turns.ts";

const REQUEST_COUNT = 21;
// What a server still writes after it answered belongs to the request that caused it.
const SETTLE_MS = 20;

interface RoundTrips {
  readonly redis: number;
  readonly postgres: number;
}

/**
 * Counts how often a request waits for Redis and for Postgres, as these see it: a server process of its own stands
 * behind counting proxies, and gets one request at a time.
 */
export async function countRoundTrips(
  variant: Variant,
  operations: readonly NamedOperation[],
): Promise<readonly Row[]> {
  await using started = new AsyncDisposableStack();
  const stores = await startStores();
  started.defer(() => stores.stop());
  const redis = await startWaveCounter(stores.redisUrl);
  started.defer(() => redis.close());
  const postgres = await startWaveCounter(stores.postgresUrl);
  started.defer(() => postgres.close());
  const server = await variant.start({ stores: { redisUrl: redis.url, postgresUrl: postgres.url }, personCount: 1 });
  started.defer(() => server.stop());
  const load = await createLoad(server, { personCount: 1, connectionsMax: 1 });
  started.defer(() => load.close());

  async function countOne(work: Promise<void>): Promise<RoundTrips> {
    await work;
    await delay(SETTLE_MS);
    return { redis: redis.takeCount(), postgres: postgres.takeCount() };
  }

  const rows: Row[] = [];
  for (const { operation, name } of operations) {
    await countOne(Promise.resolve());
    const counts: RoundTrips[] = [];
    for (let index = 0; index < REQUEST_COUNT; index += 1) {
      counts.push(await countOne(load.perform(operation, index)));
    }
    const row = { scenario: name, variant: variant.name, unit: "1" };
    rows.push(
      { ...row, metric: "round_trips", value: median(counts.map((count) => count.redis)) },
      { ...row, metric: "postgres_round_trips", value: median(counts.map((count) => count.postgres)) },
    );
  }
  return rows;
}
