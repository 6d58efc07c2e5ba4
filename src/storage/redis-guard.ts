import { AsyncLocalStorage } from "node:async_hooks";
import type { Redis } from "ioredis";
import { AppError, background } from "../core/index.ts";

const RETRY_AFTER_MS = 500;
/** What the driver itself says to a server that it has just reached; none of it touches what is stored. */
const HANDSHAKE_COMMANDS: ReadonlySet<string> = new Set(["auth", "client", "hello", "info", "select"]);

export interface RedisGuardDeps {
  /** Connected already. */
  readonly redis: Redis;
  /**
   * Must resolve before anybody is let through to a run of the server that has not been met before. What is done in it,
   * and in what it awaits, is let through. A run has another id after every restart and every failover.
   */
  readonly check: (runId: string) => Promise<void>;
  readonly reportFailure: (error: unknown) => void;
}

export interface RedisGuard {
  /** Checks the run that is there. @throws whatever the check throws; then nobody is let through. */
  start(): Promise<void>;
  /** @throws AppError STORE_UNAVAILABLE */
  findRunId(): Promise<string>;
  /** Lets nobody through until the run that is there has been checked once more, which begins now. */
  checkAgain(): void;
  close(): void;
}

/**
 * Stands between us and a Redis that restarted or was replaced: it may have come back without its data, or with those
 * of yesterday, in which those who signed out are signed in. Until the check has passed, every command fails as if
 * Redis were away.
 */
export function guardRedis({ redis, check, reportFailure }: RedisGuardDeps): RedisGuard {
  const checking = new AsyncLocalStorage<true>();
  let passedRun: string | undefined;
  let connection = 0;
  let isOpen = false;
  let retry: NodeJS.Timeout | undefined;

  letThrough(redis, (name) => isOpen || checking.getStore() === true || HANDSHAKE_COMMANDS.has(name));
  redis.on("close", shut);
  redis.on("ready", admitInBackground);

  /** Before the connection is there again, the driver itself refuses whatever is asked of it. */
  function shut(): void {
    connection += 1;
    isOpen = false;
    clearTimeout(retry);
  }

  function admitInBackground(): void {
    background(admit(), (error) => {
      reportFailure(error);
      clearTimeout(retry);
      if (redis.status === "ready") retry = setTimeout(admitInBackground, RETRY_AFTER_MS).unref();
    });
  }

  async function findRunId(): Promise<string> {
    const id = /^run_id:(\w+)/m.exec(await redis.info("server"))?.[1];
    if (id === undefined) throw new AppError("STORE_UNAVAILABLE", { detail: "redis does not say which run it is" });
    return id;
  }

  async function admit(): Promise<void> {
    const met = connection;
    const runId = await findRunId();
    if (runId !== passedRun) await checking.run(true, () => check(runId));
    if (met !== connection) return;
    passedRun = runId;
    isOpen = true;
  }

  return {
    start: admit,
    findRunId,
    checkAgain() {
      shut();
      passedRun = undefined;
      admitInBackground();
    },
    close() {
      redis.off("ready", admitInBackground);
      clearTimeout(retry);
    },
  };
}

/** Sends what `mayPass` allows, and fails the rest. */
function letThrough(redis: Redis, mayPass: (commandName: string) => boolean): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    if (mayPass(command.name.toLowerCase())) return send(command, stream);
    command.reject(new AppError("STORE_UNAVAILABLE", { detail: "redis is yet to be checked", retryAfterSeconds: 1 }));
    return command.promise;
  };
}
