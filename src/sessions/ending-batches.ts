import { type Db, guardStore } from "../storage/index.ts";
import type { EndReason } from "./ending.ts";
import type { Endings, KnownSessions } from "./endings.ts";
import type { NewRevocation } from "./revocations.ts";
import type { EndResult } from "./sessions.ts";

export interface Batch {
  readonly ids: readonly string[];
  readonly reason: EndReason;
  /** Revocations beyond those of the sessions. */
  readonly beyond?: readonly NewRevocation[];
  /** Where somebody looked already. */
  readonly known?: KnownSessions;
}

const NOTHING: EndResult = { endedIds: [], isComplete: true };

/** Ends sessions by name, however many, in batches of a transaction each. */
export function createEndingBatches({ db, endings }: { readonly db: Db; readonly endings: Endings }) {
  async function end({ ids, reason, beyond = [], known }: Batch): Promise<EndResult> {
    if (ids.length === 0 && beyond.length === 0) return NOTHING;
    const request = { ids, reason, beyond, known: known ?? (await endings.look(ids)) };
    const ended = await guardStore(() => db.transaction().execute((tx) => endings.endWithin(tx, request)));
    const isComplete = await endings.settle(ended);
    return { endedIds: ended.flatMap(({ row, wasAlive }) => (wasAlive ? row.id : [])), isComplete };
  }

  return {
    end,
    /** @param listNext the ids that come after the one given; the last page is empty. */
    async endPages(
      listNext: (after: string) => Promise<readonly string[]>,
      batchOf: (ids: readonly string[]) => Batch,
    ): Promise<EndResult> {
      let all = NOTHING;
      for (let after = ""; ;) {
        const ids = await guardStore(() => listNext(after));
        if (ids.length === 0) return all;
        all = together([all, await end(batchOf(ids))]);
        after = ids.at(-1) ?? "";
      }
    },
  };
}

export function together(results: readonly EndResult[]): EndResult {
  return {
    endedIds: results.flatMap(({ endedIds }) => endedIds),
    isComplete: results.every(({ isComplete }) => isComplete),
  };
}
