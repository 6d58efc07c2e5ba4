import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { listPeopleLike, type PersonState, recordPersonState } from "../load/person-state.ts";
import type { Row } from "../report.ts";
import { customary } from "../variants/customary.ts";
import { startStores, type StoreUrls } from "../stores.ts";
import type { Variant } from "../variants/variant.ts";

const POLL_MS = 250;
const POLLS_MAX = 120;
const STEADY_POLLS = 4;

export interface StorageOptions {
  readonly personCount: number;
  readonly progress: (line: string) => void;
}

/** What a signed-in person costs: one session, one client's grant, a refresh token and its predecessor. */
export async function runStorageScenario(
  variants: readonly Variant[],
  { personCount, progress }: StorageOptions,
): Promise<readonly Row[]> {
  progress("storage: recording one person's sign-in");
  const recorded = await onFreshStores((stores) => recordPersonState(customary, stores));
  const rows: Row[] = [];
  for (const variant of variants) {
    progress(`storage: storing ${personCount} people in ${variant.name}`);
    const bytes = await onFreshStores((stores) => measureStorage(stores, variant, { recorded, personCount }));
    rows.push(...bytes);
  }
  return rows;
}

async function measureStorage(
  stores: StoreUrls,
  variant: Variant,
  { recorded, personCount }: { readonly recorded: PersonState; readonly personCount: number },
): Promise<readonly Row[]> {
  using started = new DisposableStack();
  const redis = new Redis(stores.redisUrl);
  started.defer(() => redis.disconnect());
  const before = await readSteadyMemory(redis);
  const { postgresBytes } = await variant.populate(stores, listPeopleLike(recorded, personCount));
  const redisBytes = (await readSteadyMemory(redis)) - before;
  const row = { scenario: "storage", variant: variant.name };
  return [
    { ...row, metric: "bytes_per_person", value: redisBytes / personCount, unit: "B" },
    { ...row, metric: "keys_per_person", value: (await redis.dbsize()) / personCount, unit: "1" },
    { ...row, metric: "postgres_bytes_per_person", value: postgresBytes / personCount, unit: "B" },
  ];
}

/** `used_memory` once it no longer changes: Redis goes on growing its tables after the last write. */
async function readSteadyMemory(redis: Redis): Promise<number> {
  await redis.memory("PURGE");
  let [last, steadyPolls] = [-1, 0];
  for (let poll = 0; poll < POLLS_MAX; poll += 1) {
    const used = Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
    steadyPolls = used === last ? steadyPolls + 1 : 0;
    if (steadyPolls === STEADY_POLLS) return used;
    last = used;
    await delay(POLL_MS);
  }
  throw new Error("the memory of Redis does not come to rest");
}

async function onFreshStores<Result>(work: (stores: StoreUrls) => Promise<Result>): Promise<Result> {
  const stores = await startStores();
  try {
    return await work(stores);
  } finally {
    await stores.stop();
  }
}
