import type { Audit } from "../../audit/index.ts";
import type { Db } from "../../storage/index.ts";
import type { ClaimedLogout } from "./claim-due-logouts.ts";
import type { Outcome } from "./decide-outcome.ts";
import { withBackChannelTables } from "./tables.ts";

export interface SettleDeps {
  readonly db: Db;
  readonly audit: Audit;
}

const EVENTS = { rejected: "back_channel_logout_rejected", givenUp: "back_channel_logout_given_up" } as const;

/** Writes down what came of a try, unless another node has the row by now: then what it finds out counts. */
export async function settleLogout(deps: SettleDeps, logout: ClaimedLogout, ending: Ending): Promise<void> {
  const { outcome, nowMs } = ending;
  if (outcome.type === "tryAgain") {
    await withBackChannelTables(deps.db)
      .updateTable("back_channel_logouts")
      .set({ due_at: new Date(nowMs + outcome.pauseSeconds * 1000) })
      .where("id", "=", logout.id)
      .where("tries", "=", logout.tries)
      .execute();
    return;
  }
  await deps.db.transaction().execute(async (tx) => {
    const { numDeletedRows } = await withBackChannelTables(tx)
      .deleteFrom("back_channel_logouts")
      .where("id", "=", logout.id)
      .where("tries", "=", logout.tries)
      .executeTakeFirst();
    if (numDeletedRows === 0n || outcome.type === "delivered") return;
    await deps.audit.append(tx, {
      type: EVENTS[outcome.type],
      accountId: logout.accountId,
      clientId: logout.clientId,
      sessionId: logout.sessionId,
      data: { host: logout.host, tries: logout.tries, reason: outcome.reason },
    });
  });
}

export interface Ending {
  readonly outcome: Outcome;
  readonly nowMs: number;
}
