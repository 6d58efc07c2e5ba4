import { expect, test } from "vitest";
import { createIdleCollection } from "./idle-collection.ts";

const MEBIBYTE = 1024 * 1024;

function createProcess() {
  const state = { utilization: 0, heapBytes: 40 * MEBIBYTE, collections: 0 };
  const idleCollection = createIdleCollection({
    takeUtilization: () => state.utilization,
    heapBytes: () => state.heapBytes,
    collect() {
      state.collections += 1;
      state.heapBytes = 40 * MEBIBYTE;
    },
  });
  const look = (times: number): void => {
    for (let time = 0; time < times; time += 1) idleCollection.look();
  };
  return { state, look };
}

test("what a burst of requests left behind is collected after fifteen idle seconds, and once", () => {
  const { state, look } = createProcess();
  state.heapBytes = 200 * MEBIBYTE;
  look(14);
  expect(state.collections).toBe(0);
  look(60);
  expect(state.collections).toBe(1);
});

test("a process with something to do is left alone", () => {
  const { state, look } = createProcess();
  state.heapBytes = 200 * MEBIBYTE;
  for (let second = 0; second < 60; second += 1) {
    state.utilization = second % 5 === 0 ? 0.03 : 0;
    look(1);
  }
  expect(state.collections).toBe(0);
});

test("little garbage is left where it is", () => {
  const { state, look } = createProcess();
  state.heapBytes = 71 * MEBIBYTE;
  look(60);
  expect(state.collections).toBe(0);
});

test("between two collections there is a minute", () => {
  const { state, look } = createProcess();
  state.heapBytes = 200 * MEBIBYTE;
  look(15);
  state.heapBytes = 200 * MEBIBYTE;
  look(59);
  expect(state.collections).toBe(1);
  look(1);
  expect(state.collections).toBe(2);
});
