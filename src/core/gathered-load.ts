/**
 * Loads by key what many requests ask for in the same turn of the event loop, all of it at once: a statement costs
 * nearly the same for one key as for thirty. Who asks later gets a load of its own, so an answer is never older than the
 * question. A load that fails fails for all that wait for it.
 */
export function createGatheredLoad<Value>(
  loadAll: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
): (key: string) => Promise<Value | undefined> {
  let gathering: { readonly keys: Set<string>; readonly values: Promise<ReadonlyMap<string, Value>> } | undefined;

  function gather() {
    const keys = new Set<string>();
    const { promise: turnEnds, resolve } = Promise.withResolvers<void>();
    setImmediate(resolve);
    const values = turnEnds.then(() => {
      gathering = undefined;
      return loadAll([...keys]);
    });
    return { keys, values };
  }

  return async (key) => {
    gathering ??= gather();
    gathering.keys.add(key);
    return (await gathering.values).get(key);
  };
}
