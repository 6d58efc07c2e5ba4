import { setImmediate as turnEnds } from "node:timers/promises";
import { expect, test } from "vitest";
import { createGatheredLoad } from "./gathered-load.ts";

function createFixture() {
  const loads: { readonly keys: readonly string[]; readonly settle: PromiseWithResolvers<void> }[] = [];
  const load = createGatheredLoad(async (keys) => {
    const settle = Promise.withResolvers<void>();
    loads.push({ keys, settle });
    await settle.promise;
    return new Map(keys.filter((key) => key !== "unknown").map((key) => [key, `value of ${key}`]));
  });
  const loadsAfter = async (count: number) => {
    await expect.poll(() => loads.length, { interval: 1 }).toBe(count);
    return loads.map(({ keys }) => keys);
  };
  const end = (index: number) => loads[index]?.settle.resolve();
  return { load, loadsAfter, end, fail: (index: number) => loads[index]?.settle.reject(new Error("away")) };
}

test("what is asked for in one turn is loaded at once, each key once", async () => {
  const { load, loadsAfter, end } = createFixture();
  const values = Promise.all([load("a"), load("b"), load("a")]);
  expect(await loadsAfter(1)).toEqual([["a", "b"]]);
  end(0);
  expect(await values).toEqual(["value of a", "value of b", "value of a"]);
});

test("what is asked for during a load is loaded together after it, also what that load was asked for", async () => {
  const { load, loadsAfter, end } = createFixture();
  const first = load("a");
  await loadsAfter(1);
  const second = load("a");
  await turnEnds();
  const third = load("b");
  end(0);
  await first;
  expect(await loadsAfter(2)).toEqual([["a"], ["a", "b"]]);
  end(1);
  expect(await Promise.all([second, third])).toEqual(["value of a", "value of b"]);
});

test("a load that hangs does not keep the next one from its turn", async () => {
  const { load, loadsAfter, end } = createFixture();
  void load("a");
  await loadsAfter(1);
  const other = load("b");
  expect(await loadsAfter(2)).toEqual([["a"], ["b"]]);
  end(1);
  expect(await other).toBe("value of b");
});

test("what is not there is undefined", async () => {
  const { load, loadsAfter, end } = createFixture();
  const value = load("unknown");
  await loadsAfter(1);
  end(0);
  expect(await value).toBeUndefined();
});

test("a load that fails fails for all that wait for it, and for nobody after them", async () => {
  const { load, loadsAfter, end, fail } = createFixture();
  const outcomes = Promise.allSettled([load("a"), load("b")]);
  await loadsAfter(1);
  const next = load("a");
  fail(0);
  expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await loadsAfter(2);
  end(1);
  expect(await next).toBe("value of a");
});
