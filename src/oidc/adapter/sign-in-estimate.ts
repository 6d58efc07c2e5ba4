import { sql } from "kysely";
import { type Clock, epochSeconds } from "../../core/index.ts";
import { type Db, guardStore, type Redis } from "../../storage/index.ts";
import { isSignInKey } from "./identifiers.ts";

/** Keys that are looked at, whatever number of them there is. */
const SAMPLE_KEYS = 1_000;

/** Some keys of the protocol store. `total`: how many there are in all; absent when these are all. */
interface KeySample {
  readonly keys: readonly string[];
  readonly total: number | undefined;
}

export interface SignInEstimateDeps {
  readonly db: Db;
  readonly redis: Redis | undefined;
  readonly clock: Clock;
}

/**
 * About how many sign-ins are alive: sessions, and what outlives one by `offline_access`. Exact up to some hundreds; beyond
 * that the share of sign-ins among a thousand keys stands for that among all, so that the cost does not grow.
 *
 * @throws AppError STORE_UNAVAILABLE
 */
export async function estimateSignIns({ db, redis, clock }: SignInEstimateDeps): Promise<number> {
  const sample = await guardStore(() =>
    redis === undefined ? sampleRows(db, epochSeconds(clock)) : sampleRedis(redis),
  );
  return estimateFrom(sample);
}

export function estimateFrom({ keys, total }: KeySample): number {
  const signIns = keys.filter(isSignInKey).length;
  if (total === undefined || keys.length === 0) return signIns;
  return Math.round((signIns / keys.length) * total);
}

/** Redis goes through its table by digests of the keys, so that the first thousand are as good as any. */
async function sampleRedis(redis: Redis): Promise<KeySample> {
  const [cursor, keys] = await redis.scan(0, "COUNT", SAMPLE_KEYS);
  return { keys, total: cursor === "0" ? undefined : await redis.dbsize() };
}

/** `reltuples` is as of the last vacuum or analyze, and -1 before the first. */
async function sampleRows(db: Db, now: number): Promise<KeySample> {
  const { rows } = await sql<{ key: string }>`
    select key from oidc_state where expires_at > ${now}::bigint limit ${SAMPLE_KEYS}`.execute(db);
  const keys = rows.map(({ key }) => key);
  if (keys.length < SAMPLE_KEYS) return { keys, total: undefined };
  const { rows: counted } = await sql<{ total: number }>`
    select reltuples::double precision as total from pg_class where oid = 'oidc_state'::regclass`.execute(db);
  return { keys, total: Math.max(keys.length, counted[0]?.total ?? 0) };
}
