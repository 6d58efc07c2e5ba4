import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import type { Clock } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { ClaimedRow } from "./claim-due.ts";
import type { Outcome } from "./decide-outcome.ts";
import type { OutboxTable } from "./outbox-table.ts";

/** What came of a try, or of a row for which there was to be none any more. */
export interface Settled {
  readonly lane: string;
  readonly tries: number;
  /** `retried`: it is tried again. `refused`: for good. `expired`: it would have come too late. */
  readonly result: "sent" | "retried" | "refused" | "expired";
  /** A word for the log: `status_451`, `etimedout`. Holds nothing of the content. */
  readonly reason?: string;
}

/** A row that was given up. */
export interface EndedRow extends Pick<ClaimedRow, "id" | "lane" | "content" | "tries" | "createdAtMs"> {
  readonly reason: string;
}

export interface SettleDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly table: OutboxTable;
  /** What else is written down, in the transaction that gives a row up. */
  readonly onGivenUp?: ((tx: Db, row: EndedRow) => Promise<void>) | undefined;
  /** Told of failures of our own side. */
  readonly report: (error: unknown) => void;
}

interface Ending {
  readonly row: ClaimedRow;
  readonly outcome: Outcome;
  readonly signal: AbortSignal;
}

const RECORD_EVERY_MS = 500;
/** As long as the longest lease holds: afterwards the row may be another node's. */
const RECORDS_MAX = 160;

/**
 * What was taken goes out twice if that is not written down. So a database that is away is asked again and again, for as
 * long as this process and its lease live; anything else may wait for the lease to run out.
 */
export async function settle(deps: SettleDeps, ending: Ending): Promise<void> {
  for (let asked = 1; ; asked += 1) {
    try {
      return await record(deps, ending);
    } catch (error) {
      if (asked === 1) deps.report(error);
      if (ending.outcome.type !== "sent" || asked === RECORDS_MAX || ending.signal.aborted) return;
    }
    await delay(RECORD_EVERY_MS, undefined, { ref: false });
  }
}

/** Unless another node has the row by now: then what it finds out counts. */
async function record(deps: SettleDeps, { row, outcome }: Ending): Promise<void> {
  const { db, clock, table, onGivenUp } = deps;
  const name = sql.table(table.name);
  if (outcome.type === "tryAgain") {
    const dueAt = new Date(clock.nowMs() + outcome.pauseSeconds * 1_000);
    await sql`update ${name} set due_at = ${dueAt}::timestamptz where id = ${row.id} and tries = ${row.tries}`.execute(
      db,
    );
    return;
  }
  const drop = (on: Db) => sql`delete from ${name} where id = ${row.id} and tries = ${row.tries}`.execute(on);
  if (outcome.type === "sent" || onGivenUp === undefined) {
    await drop(db);
    return;
  }
  await db.transaction().execute(async (tx) => {
    const { numAffectedRows = 0n } = await drop(tx);
    if (numAffectedRows > 0n) await onGivenUp(tx, { ...row, reason: outcome.reason });
  });
}
