import { expect, test } from "vitest";
import { runClosedLoop } from "./closed-loop.ts";

test("every request is performed once, and those of one worker never overlap", async () => {
  const performed: number[] = [];
  const busy = new Set<number>();
  const overlaps: number[] = [];
  const times = await runClosedLoop({
    workerCount: 3,
    requestCount: 10,
    async perform(index) {
      const worker = index % 3;
      if (busy.has(worker)) overlaps.push(index);
      busy.add(worker);
      await Promise.resolve();
      performed.push(index);
      busy.delete(worker);
    },
  });
  expect(performed.toSorted((left, right) => left - right)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(overlaps).toEqual([]);
  expect(times.latenciesMs).toHaveLength(10);
});
