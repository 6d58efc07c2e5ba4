import { expect, test } from "vitest";
import { joinCallers } from "./join-callers.ts";

/** Runs that end when the test says so. */
function createRuns() {
  const runs: PromiseWithResolvers<void>[] = [];
  const run = (): Promise<void> => {
    const next = Promise.withResolvers<void>();
    runs.push(next);
    return next.promise;
  };
  return { run, runs };
}

const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol("pending");
  return (await Promise.race([promise, new Promise((resolve) => setImmediate(resolve, pending))])) !== pending;
};

test("who asks while a run is under way gets the next one, together with all others who do", async () => {
  const { run, runs } = createRuns();
  const ask = joinCallers(run);
  const first = ask();
  const [second, third] = [ask(), ask()];
  expect(runs).toHaveLength(1);
  runs[0]?.resolve();
  await first;
  expect(await isSettled(second)).toBe(false);
  expect(runs).toHaveLength(2);
  runs[1]?.resolve();
  await Promise.all([second, third]);
  expect(runs).toHaveLength(2);
});

test("a run that fails fails for who asked for it, and the next one is made all the same", async () => {
  const { run, runs } = createRuns();
  const ask = joinCallers(run);
  const [first, second] = [ask(), ask()];
  runs[0]?.reject(new Error("away"));
  await expect(first).rejects.toThrow("away");
  await isSettled(second);
  runs[1]?.resolve();
  await expect(second).resolves.toBeUndefined();
});

test("nothing runs any more when it has settled", async () => {
  const { run, runs } = createRuns();
  const ask = joinCallers(run);
  await ask.settled();
  const asked = ask();
  const settled = ask.settled();
  expect(await isSettled(settled)).toBe(false);
  runs[0]?.resolve();
  await settled;
  await asked;
});
