import { expect, test } from "vitest";
import { DELETE_BATCH, deleteInBatches } from "./batches.ts";

test("it goes on until less than a batch is found, and says how many it were", async () => {
  const found = [DELETE_BATCH, DELETE_BATCH, 7, 99];
  expect(await deleteInBatches(async () => BigInt(found.shift() ?? 0))).toBe(2 * DELETE_BATCH + 7);
  expect(found).toEqual([99]);
});
