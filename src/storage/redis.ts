import { Command, Redis, type RedisOptions } from "ioredis";
import { AppError, stopwatchMs } from "../core/index.ts";
import { isStoreFailure } from "./failures.ts";
import { keepPulse } from "./redis-pulse.ts";
import { infoField } from "./store-facts.ts";
import type { StoreObserver } from "./store-observer.ts";

const COMMAND_TIMEOUT_MS = 800;
const CONNECT_TIMEOUT_MS = 800;
const RECONNECT_DELAY_MAX_MS = 1_000;

export interface RedisClientOptions {
  /** `redis://`, `rediss://`, `redis+sentinel://…` or `rediss+sentinel://…` */
  readonly url: string;
  readonly onConnectionError: (error: Error) => void;
  readonly observer?: StoreObserver | undefined;
}

/**
 * Connects to a single Redis or through Sentinel. Every command has a deadline and nothing queues while the connection
 * is away, so that an outage is answered at once instead of being waited out.
 */
export function openRedis(options: RedisClientOptions): Redis {
  const common = {
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    lazyConnect: true,
    retryStrategy: (attempt: number) => Math.min(attempt * 100, RECONNECT_DELAY_MAX_MS),
  } satisfies RedisOptions;
  const isSentinel = /^rediss?\+sentinel:/.test(options.url);
  const redis = isSentinel
    ? new Redis({ ...common, ...parseSentinelUrl(options.url) })
    : new Redis(options.url, common);
  redis.on("error", options.onConnectionError);
  const { observer } = options;
  keepPulse(redis);
  sendTogether(redis, () => observer?.sent("redis"));
  if (observer !== undefined) observeCommands(redis, observer);
  return redis;
}

/**
 * Commands of requests that are answered in the same turn of the event loop leave in one write. The driver writes each by
 * itself, and a write is the dearest part of a command; its own batching turns them into pipelines, which costs more
 * than it saves.
 */
function sendTogether(redis: Redis, onWrite: () => void): void {
  const send = redis.sendCommand.bind(redis);
  let held: { uncork(): void } | undefined;
  redis.sendCommand = (command, stream) => {
    const socket: unknown = Reflect.get(redis, "stream");
    if (held === undefined && isCorkable(socket)) {
      socket.cork();
      held = socket;
      onWrite();
      setImmediate(() => {
        held?.uncork();
        held = undefined;
      });
    }
    return send(command, stream);
  };
}

/** What the server is asked by us; the driver's own questions, and what nobody expected, are `other`. */
const COMMANDS: ReadonlySet<string> = new Set(["hgetall", "evalsha", "eval", "unlink", "ping", "info", "get", "set"]);

function observeCommands(redis: Redis, observer: StoreObserver): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    const startedAtMs = stopwatchMs();
    const name = command.name.toLowerCase();
    const operation = COMMANDS.has(name) ? name : "other";
    const tell = (isFailed: boolean): void =>
      observer.called({ store: "redis", operation, tookMs: stopwatchMs() - startedAtMs, isFailed });
    command.promise.then(
      () => tell(false),
      (error: unknown) => tell(isStoreFailure(error)),
    );
    return send(command, stream);
  };
}

function isCorkable(socket: unknown): socket is { cork(): void; uncork(): void } {
  return typeof socket === "object" && socket !== null && "cork" in socket && "uncork" in socket;
}

/** `redis+sentinel://user:password@host:26379,host:26379/master-name/database` */
export function parseSentinelUrl(url: string): RedisOptions {
  const parts = /^(rediss?)\+sentinel:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/]+)\/([^/]+)(?:\/(\d+))?$/.exec(url);
  if (parts === null) {
    throw new AppError("INPUT_INVALID", { detail: "REDIS_URL is not redis+sentinel://host:port,host:port/master" });
  }
  const [, scheme, username, password, hosts = "", name = "", database = "0"] = parts;
  return {
    sentinels: hosts.split(",").map((host) => {
      const { hostname, port } = new URL(`redis://${host}`);
      return { host: hostname, port: port === "" ? 26_379 : Number(port) };
    }),
    name,
    db: Number(database),
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
    ...(scheme === "rediss" ? { tls: {}, enableTLSForSentinelMode: true } : {}),
  };
}

/**
 * Connects, and refuses a Redis that may throw keys away: what is evicted is a session or a revocation that is
 * silently forgotten. Returns what an operator should know of one that may be used.
 *
 * @throws AppError STORE_UNAVAILABLE with the remedy in its detail.
 */
export async function connectRedis(redis: Redis): Promise<readonly string[]> {
  try {
    await redis.connect();
  } catch (cause) {
    throw new AppError("STORE_UNAVAILABLE", { detail: "redis does not answer; check REDIS_URL", cause });
  }
  await refuseEviction(redis);
  const isAppendOnly = infoField(await redis.info("persistence"), "aof_enabled") === "1";
  return isAppendOnly
    ? []
    : [
        "redis is not append-only: if it crashes, sign-outs and revocations of the last minutes may be undone; set appendonly yes",
      ];
}

/** @throws AppError STORE_UNAVAILABLE when this Redis may throw keys away. */
export async function refuseEviction(redis: Redis): Promise<void> {
  const policy = infoField(await redis.info("memory"), "maxmemory_policy");
  if (policy === "noeviction") return;
  throw new AppError("STORE_UNAVAILABLE", {
    detail: `redis has maxmemory-policy ${policy} and may evict sessions and tokens; run "CONFIG SET maxmemory-policy noeviction" and set the same in redis.conf`,
    retryAfterSeconds: 5,
  });
}

/**
 * All fields of a hash, in bytes. The driver's own `hgetall` builds an object first, which is a good part of what a read
 * costs; under its name in capitals the reply comes as Redis sent it.
 */
export async function readHash(redis: Redis, key: string): Promise<ReadonlyMap<string, Buffer>> {
  const reply = (await redis.sendCommand(new Command("HGETALL", [key]))) as readonly Buffer[];
  const fields = new Map<string, Buffer>();
  for (let at = 0; at + 1 < reply.length; at += 2) {
    const [name, value] = [reply[at], reply[at + 1]];
    if (name !== undefined && value !== undefined) fields.set(name.toString("latin1"), value);
  }
  return fields;
}
