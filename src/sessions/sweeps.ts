import type { Clock } from "../core/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import type { Endings } from "./endings.ts";
import {
  type ClearingPosition,
  deleteExpired,
  deleteQuietRows,
  listUncleared,
  markForClearing,
  ROWS_MAX,
  withSessionTables,
} from "./session-records.ts";
import { TOLD_NOTHING } from "./what-ends.ts";

export interface SweepsDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly endings: Endings;
}

/** What nobody waits for: the rest of endings that were cut short, and rows that are over. */
export function createSweeps({ clock, endings, ...deps }: SweepsDeps) {
  const db = withSessionTables(deps.db);

  async function completeEndings(): Promise<number> {
    let count = 0;
    for (let after = ""; ;) {
      const rows = await guardStore(() => listUncleared(db, after));
      const isComplete = await endings.settle(rows.map((row) => ({ row, told: TOLD_NOTHING })));
      count += isComplete ? rows.length : 0;
      // The store is away: what is left waits for the next time.
      if (!isComplete || rows.length < ROWS_MAX) return count;
      after = rows.at(-1)?.id ?? "";
    }
  }

  return {
    completeEndings,
    async forgetAccount(tx: Db, accountId: string): Promise<boolean> {
      return guardStore(() => deleteQuietRows(withSessionTables(tx), accountId, new Date(clock.nowMs())));
    },
    async redeliverEndings(sinceBeat: number): Promise<number> {
      const now = new Date(clock.nowMs());
      let after: ClearingPosition | undefined = { beat: sinceBeat, id: "" };
      while (after !== undefined) {
        const from: ClearingPosition = after;
        after = await guardStore(() => markForClearing(db, from, now));
      }
      return completeEndings();
    },
    sweep: (): Promise<number> => guardStore(() => deleteExpired(db, new Date(clock.nowMs()))),
  };
}
