/** So many rows are deleted well within the deadline of a statement. */
export const DELETE_BATCH = 5_000;

/** Repeats what deletes at most {@link DELETE_BATCH} rows until it finds fewer; returns how many in all. */
export async function deleteInBatches(deleteSome: () => Promise<bigint>): Promise<number> {
  for (let count = 0; ;) {
    const some = Number(await deleteSome());
    count += some;
    if (some < DELETE_BATCH) return count;
  }
}
