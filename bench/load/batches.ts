/** Few enough to have the stores answer in time on a machine that is busy. */
const BATCH_SIZE = 100;

/** Does the work for all items, a batch of them at the same time. */
export async function inBatches<Item>(items: Iterable<Item>, work: (item: Item) => Promise<void>): Promise<void> {
  let batch: Promise<void>[] = [];
  for (const item of items) {
    batch.push(work(item));
    if (batch.length < BATCH_SIZE) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
}
