import { background } from "../core/index.ts";
import { guardRedis, guardStore, type Redis, refuseEviction } from "../storage/index.ts";
import { BEAT_EVERY_SECONDS, type Epochs, type ProtocolStoreRun, type StoreMark } from "./epoch.ts";

const MARK_KEY = "lk:epoch";
/** Written anew with every beat; a deployment that was stopped for longer has nobody signed in any more. */
const MARK_SECONDS = 365 * 24 * 60 * 60;

/**
 * KEYS[1] the mark. ARGV[1] what it was, empty for none; ARGV[2] what it is to be; ARGV[3] seconds to live. A node that
 * stood still before it wrote would otherwise put back a mark of the past, and everybody would take the store for old.
 */
const WRITE_MARK_SCRIPT = `
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[1] and found ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
`;

export interface ProtocolStoreWatchDeps {
  /** Connected already. */
  readonly redis: Redis;
  readonly epochs: Pick<Epochs, "checkStore" | "beat">;
  readonly reportFailure: (error: unknown) => void;
  readonly beatEveryMs?: number;
}

export interface ProtocolStoreWatch {
  /** Resolves when the store may be used. @throws AppError STORE_UNAVAILABLE */
  start(): Promise<void>;
  close(): void;
}

/**
 * Sees to it that nobody is served from a Redis that was lost or restored: whenever it restarted, it is closed to
 * everybody until it has been compared with what Postgres knows. While it runs, it is marked every ten seconds.
 */
export function watchProtocolStore(deps: ProtocolStoreWatchDeps): ProtocolStoreWatch {
  const { redis, epochs, reportFailure, beatEveryMs = BEAT_EVERY_SECONDS * 1_000 } = deps;
  const guard = guardRedis({ redis, check, reportFailure });
  let beating: NodeJS.Timeout | undefined;

  async function check(runId: string): Promise<void> {
    // Whatever was there at our start: the one that took its place may be set up otherwise.
    await refuseEviction(redis);
    await epochs.checkStore(runOf(redis, runId));
  }

  async function beat(): Promise<void> {
    // While it is away there is nothing to mark, and when it is back it is checked.
    if (redis.status !== "ready") return;
    const isSame = await epochs.beat(runOf(redis, await guard.findRunId()));
    // Emptied while it ran (FLUSHALL), which no reconnection tells of.
    if (!isSame) guard.checkAgain();
    // Of a Redis that was changed while it runs the operator is told, with every beat; it is refused at its next start.
    await guardStore(() => refuseEviction(redis));
  }

  return {
    async start() {
      await guard.start();
      beating = setInterval(() => background(beat(), reportFailure), beatEveryMs).unref();
    },
    close() {
      clearInterval(beating);
      guard.close();
    },
  };
}

function runOf(redis: Redis, id: string): ProtocolStoreRun {
  let seen = "";
  return {
    id,
    async readMark() {
      const text = await guardStore(() => redis.get(MARK_KEY));
      seen = text ?? "";
      return parseMark(text);
    },
    async replaceMark({ epoch, beat }) {
      const mark = `${epoch}:${beat}`;
      return (await guardStore(() => redis.eval(WRITE_MARK_SCRIPT, 1, MARK_KEY, seen, mark, MARK_SECONDS))) === 1;
    },
  };
}

/** A mark that cannot be read is none. */
function parseMark(text: string | null): StoreMark | undefined {
  const [, epoch, beat] = /^(\d{1,15}):(\d{1,15})$/.exec(text ?? "") ?? [];
  return epoch === undefined || beat === undefined ? undefined : { epoch: Number(epoch), beat: Number(beat) };
}
