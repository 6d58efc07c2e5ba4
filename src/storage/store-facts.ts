import type { Redis } from "ioredis";
import { sql } from "kysely";
import { AppError } from "../core/index.ts";
import type { Db } from "./database.ts";

/** The oldest major version that has what our statements use. */
export const POSTGRES_VERSION_MIN = 15;

export interface PostgresFacts {
  readonly majorVersion: number;
  /** Of the database. */
  readonly encoding: string;
}

export interface RedisFacts {
  readonly version: string;
  /** What it does when its memory is full. */
  readonly evictionPolicy: string;
  readonly isAppendOnly: boolean;
  /** Whether the last write to its file has failed. */
  readonly isWriteFailing: boolean;
  readonly replicas: number;
  /** Whether it refuses writes that no replica would get. */
  readonly needsReplica: boolean;
}

export async function readPostgresFacts(db: Db): Promise<PostgresFacts> {
  const { rows } = await sql<{ version: string; encoding: string }>`
    select current_setting('server_version_num') as version, current_setting('server_encoding') as encoding`.execute(
    db,
  );
  const [server] = rows;
  return { majorVersion: Math.floor(Number(server?.version) / 10_000), encoding: server?.encoding ?? "unknown" };
}

/** @throws AppError STORE_UNAVAILABLE */
export async function readRedisFacts(redis: Redis): Promise<RedisFacts> {
  if (redis.status !== "ready") throw new AppError("STORE_UNAVAILABLE", { detail: "there is no connection" });
  const info = await redis.info();
  return {
    version: infoField(info, "redis_version"),
    evictionPolicy: infoField(info, "maxmemory_policy"),
    isAppendOnly: infoField(info, "aof_enabled") === "1",
    isWriteFailing: infoField(info, "aof_last_write_status") === "err",
    replicas: Number(infoField(info, "connected_slaves")),
    // Told only where `min-replicas-to-write` is set.
    needsReplica: infoField(info, "min_slaves_good_slaves") !== "unknown",
  };
}

/** How far our clock is ahead of Redis', in milliseconds; off by half of what the answer took. */
export async function measureRedisClock(redis: Redis, nowMs: () => number): Promise<number> {
  const sentAtMs = nowMs();
  const [seconds, microseconds] = await redis.time();
  return (sentAtMs + nowMs()) / 2 - (Number(seconds) * 1_000 + Number(microseconds) / 1_000);
}

export function infoField(info: string, field: string): string {
  return new RegExp(`^${field}:(.+?)\\s*$`, "m").exec(info)?.[1] ?? "unknown";
}
