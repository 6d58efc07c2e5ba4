import { setImmediate as turnEnds, setTimeout as delay } from "node:timers/promises";

/** A load that hangs keeps nobody else waiting for longer. */
const GATHER_MS_MAX = 5;

interface Gathering<Value> {
  readonly keys: Set<string>;
  readonly values: Promise<ReadonlyMap<string, Value>>;
}

/**
 * Loads by key what many requests ask for at about the same time, all of it at once: a statement costs nearly the same
 * for one key as for thirty. What is asked for while a load is under way waits for its end and is loaded next, so that
 * loads grow with the number of requests, and a single request waits for nothing but its own.
 *
 * An answer is never older than its question. A load that fails fails for all that wait for it.
 */
export function createGatheredLoad<Value>(
  loadAll: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
): (key: string) => Promise<Value | undefined> {
  let gathering: Gathering<Value> | undefined;
  let underWay: Promise<unknown> | undefined;

  function gather(): Gathering<Value> {
    const keys = new Set<string>();
    return { keys, values: load(keys) };
  }

  async function load(keys: ReadonlySet<string>): Promise<ReadonlyMap<string, Value>> {
    await (underWay === undefined ? turnEnds() : Promise.race([underWay, delay(GATHER_MS_MAX)]));
    gathering = undefined;
    const loading = loadAll([...keys]);
    const ended = loading.then(
      () => undefined,
      () => undefined,
    );
    underWay = ended;
    try {
      return await loading;
    } finally {
      if (underWay === ended) underWay = undefined;
    }
  }

  return async (key) => {
    gathering ??= gather();
    gathering.keys.add(key);
    return (await gathering.values).get(key);
  };
}
