import { expect, test } from "vitest";
import { createFreshCache } from "./fresh-cache.ts";

function createFixture() {
  let nowMs = 0;
  const loads: { readonly key: string; readonly settle: PromiseWithResolvers<string> }[] = [];
  const cache = createFreshCache<string>({
    clock: { nowMs: () => nowMs },
    ageMsMax: 1_000,
    entriesMax: 2,
    load(key) {
      const settle = Promise.withResolvers<string>();
      loads.push({ key, settle });
      return settle.promise;
    },
  });
  return { cache, loads, moveTo: (ms: number) => (nowMs = ms) };
}

test("callers that come while a value loads share the one load", async () => {
  const { cache, loads } = createFixture();
  const [first, second] = [cache.get("a"), cache.get("a")];
  loads[0]?.settle.resolve("value");
  expect(await Promise.all([first, second])).toEqual(["value", "value"]);
  expect(loads).toHaveLength(1);
});

test("a value is used until the maximum age after its load began", () => {
  const { cache, loads, moveTo } = createFixture();
  void cache.get("a");
  moveTo(999);
  void cache.get("a");
  expect(loads).toHaveLength(1);
  moveTo(1_000);
  void cache.get("a");
  expect(loads).toHaveLength(2);
});

test("a clock that is set back does not make a value live longer", () => {
  const { cache, loads, moveTo } = createFixture();
  void cache.get("a");
  moveTo(-1);
  void cache.get("a");
  expect(loads).toHaveLength(2);
});

test("a failed load is not kept", async () => {
  const { cache, loads } = createFixture();
  const failing = cache.get("a");
  loads[0]?.settle.reject(new Error("store is away"));
  await expect(failing).rejects.toThrow("store is away");
  void cache.get("a");
  expect(loads).toHaveLength(2);
});

test("whoever asks after clear does not get a load that began before it", () => {
  const { cache, loads } = createFixture();
  void cache.get("a");
  cache.clear();
  void cache.get("a");
  expect(loads).toHaveLength(2);
});

test("the oldest entry makes room", () => {
  const { cache, loads } = createFixture();
  for (const key of ["a", "b", "c", "b", "c", "a"]) void cache.get(key);
  expect(loads.map(({ key }) => key)).toEqual(["a", "b", "c", "a"]);
});
