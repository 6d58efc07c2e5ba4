import { expect, test } from "vitest";
import { createGatheredLoad } from "./gathered-load.ts";

function createFixture() {
  const loads: (readonly string[])[] = [];
  const load = createGatheredLoad(async (keys) => {
    loads.push(keys);
    if (keys.includes("broken")) throw new Error("away");
    return new Map(keys.filter((key) => key !== "unknown").map((key) => [key, `value of ${key}`]));
  });
  return { load, loads };
}

test("what is asked for in one turn is loaded at once, each key once", async () => {
  const { load, loads } = createFixture();
  expect(await Promise.all([load("a"), load("b"), load("a")])).toEqual(["value of a", "value of b", "value of a"]);
  expect(loads).toEqual([["a", "b"]]);
});

test("who asks after a load began gets a load of its own", async () => {
  const { load, loads } = createFixture();
  const first = load("a");
  await first;
  await load("a");
  expect(loads).toEqual([["a"], ["a"]]);
});

test("what is not there is undefined", async () => {
  expect(await createFixture().load("unknown")).toBeUndefined();
});

test("a load that fails fails for all that wait for it, and for nobody after them", async () => {
  const { load } = createFixture();
  const outcomes = await Promise.allSettled([load("a"), load("broken")]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await load("a")).toBe("value of a");
});
