import type { Clock } from "../../core/index.ts";
import { epochSeconds } from "../../core/index.ts";
import { guardStore, type Redis } from "../../storage/index.ts";
import type { FieldChange, Fields, ProtocolStore } from "./store.ts";

/**
 * KEYS[1] the hash. ARGV: seconds to live; then four counted lists: fields that must have a value (with it), fields that
 * must be absent, fields to set (with their value), fields to drop.
 *
 * A key that loses its last field vanishes by itself. Life is only ever prolonged: NX covers a new key, GT an old one.
 */
const CHANGE_SCRIPT = `
local at = 2
local function list(width)
  local count = tonumber(ARGV[at])
  local from = at + 1
  at = from + count * width
  return from, at - 1
end
local from, to = list(2)
for i = from, to, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then return 0 end
end
from, to = list(1)
for i = from, to do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then return 0 end
end
from, to = list(2)
if to >= from then redis.call('HSET', KEYS[1], unpack(ARGV, from, to)) end
from, to = list(1)
if to >= from then redis.call('HDEL', KEYS[1], unpack(ARGV, from, to)) end
redis.call('EXPIRE', KEYS[1], ARGV[1], 'NX')
redis.call('EXPIRE', KEYS[1], ARGV[1], 'GT')
return 1
`;

interface ChangeCommand {
  lkChange(key: string, ...parts: (string | number | Buffer)[]): Promise<number>;
}

/** Protocol state in Redis 7 or later: one hash per key. */
export function createRedisStore(deps: { redis: Redis; clock: Clock }): ProtocolStore {
  const { redis, clock } = deps;
  redis.defineCommand("lkChange", { numberOfKeys: 1, lua: CHANGE_SCRIPT });
  const commands = redis as Redis & ChangeCommand;

  return {
    read: (keys) => guardStore(() => readHashes(redis, keys)),
    async change(key, change) {
      const secondsLeft = change.expiresAt - epochSeconds(clock);
      if (secondsLeft <= 0) return false;
      return (await guardStore(() => commands.lkChange(key, ...changeArguments(change, secondsLeft)))) === 1;
    },
    async delete(key) {
      await guardStore(() => redis.unlink(key));
    },
  };
}

async function readHashes(redis: Redis, keys: readonly string[]): Promise<readonly Fields[]> {
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) return [toFields(await redis.hgetallBuffer(only))];
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.hgetallBuffer(key);
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error !== null) throw error;
    return toFields(reply as Record<string, Buffer>);
  });
}

function toFields(reply: Record<string, Buffer>): Fields {
  return new Map(Object.entries(reply));
}

function changeArguments(change: FieldChange, secondsLeft: number): (string | number | Buffer)[] {
  const present: (string | Buffer)[] = [];
  const absent: string[] = [];
  for (const [field, value] of change.expect) {
    if (value === undefined) absent.push(field);
    else present.push(field, value);
  }
  const set = [...(change.set ?? [])].flat();
  const drop = change.drop ?? [];
  return [
    secondsLeft,
    present.length / 2,
    ...present,
    absent.length,
    ...absent,
    set.length / 2,
    ...set,
    drop.length,
    ...drop,
  ];
}
