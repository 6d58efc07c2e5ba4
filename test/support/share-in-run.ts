/** Something that is started once, and how many of the run's projects still use it. */
interface Shared {
  readonly value: Promise<unknown>;
  readonly stop: () => Promise<void>;
  users: number;
}

// Vitest loads a global setup once per project, so what they share hangs on the one global object of the process.
const SHARED = Symbol.for("latchkey.test.shared");
const run: typeof globalThis & { [SHARED]?: Map<string, Shared> } = globalThis;

/** Starts it for the first project that asks; the last one to release it stops it. */
export function shareInRun<Value>(
  name: string,
  start: () => { readonly value: Promise<Value>; readonly stop: () => Promise<void> },
): { readonly value: Promise<Value>; readonly release: () => Promise<void> } {
  const all = (run[SHARED] ??= new Map());
  const shared = all.get(name) ?? { ...start(), users: 0 };
  all.set(name, shared);
  shared.users += 1;
  return {
    // What stands under a name was put there by its own `start`.
    value: shared.value as Promise<Value>,
    async release() {
      shared.users -= 1;
      if (shared.users > 0) return;
      all.delete(name);
      await shared.stop();
    },
  };
}
