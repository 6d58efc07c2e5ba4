import { AppError, type Clock } from "../core/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import { concernsAccount, END_REASONS, type EndReason } from "./ending.ts";
import { createEndingBatches, together } from "./ending-batches.ts";
import type { Endings } from "./endings.ts";
import type { ProtocolSessions } from "./protocol-sessions.ts";
import type { NewRevocation, Revocations } from "./revocations.ts";
import { findRow, listIdsAfter, listRows, withSessionTables } from "./session-records.ts";
import type { EndResult } from "./sessions.ts";
import { revocationsOf } from "./what-ends.ts";

export interface TerminationDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly revocations: Pick<Revocations, "append">;
  readonly protocol: ProtocolSessions;
  readonly endings: Endings;
}

/** Whose sessions end is said by their owner; only who holds a session need not say so. */
export function createTermination(deps: TerminationDeps) {
  const db = withSessionTables(deps.db);
  const batches = createEndingBatches(deps);
  const now = (): Date => new Date(deps.clock.nowMs());

  async function listIds(accountId: string, reason: EndReason, after: string): Promise<readonly string[]> {
    const which = END_REASONS[reason] === "whole" ? "present" : "open";
    return (await listRows(db, accountId, { which, now: now(), after })).map(({ id }) => id);
  }

  return {
    async end(accountId: string, sessionId: string, reason: EndReason): Promise<EndResult> {
      const row = await guardStore(() => findRow(db, sessionId));
      if (row?.account_id !== accountId || row.end_scope === "whole") throw new AppError("SESSION_NOT_FOUND");
      return batches.end({ ids: [sessionId], reason });
    },
    async endOthers(accountId: string, keptSessionId: string, reason: EndReason): Promise<EndResult> {
      return batches.endPages(
        (after) => listIds(accountId, reason, after),
        (ids) => ({ ids: ids.filter((id) => id !== keptSessionId), reason }),
      );
    },
    async endAll(accountId: string, reason: EndReason): Promise<EndResult> {
      // First of all, and also where there is no session: a grant may have lost its row, a token its session.
      const beyond: NewRevocation[] = concernsAccount(reason) ? [{ kind: "account", accountId }] : [];
      const ofAccount = await batches.end({ ids: [], reason, beyond });
      const ofSessions = await batches.endPages(
        (after) => listIds(accountId, reason, after),
        (ids) => ({ ids, reason }),
      );
      return together([ofAccount, ofSessions]);
    },
    async endEverybodys(reason: EndReason): Promise<EndResult> {
      const everything = { ids: [], reason, beyond: [{ kind: "epoch" }] } as const;
      const before = await batches.end(everything);
      const ofSessions = await batches.endPages(
        (after) => listIdsAfter(db, after, now()),
        (ids) => ({ ids, reason }),
      );
      // Once more for what was issued while there were many to end.
      return together([before, ofSessions, await batches.end(everything)]);
    },
    async endHeld(id: string, reason: EndReason): Promise<EndResult> {
      const known = await deps.endings.look([id]);
      const ended = await batches.end({ ids: [id], reason, known });
      if (ended.endedIds.length > 0 || (await guardStore(() => findRow(db, id))) !== undefined) return ended;
      // Its row is gone, and its account with it: there is nothing to note it in, and all the same it has to end.
      const orphan = { id, end_scope: "whole", ended_grants: [], cleared: 0 } as const;
      const revocations = revocationsOf(orphan, known?.get(id));
      await guardStore(() => deps.db.transaction().execute((tx) => deps.revocations.append(tx, revocations)));
      await guardStore(() => deps.protocol.clear(id, { scope: "whole", endedGrantIds: [] }));
      return { endedIds: [id], isComplete: true };
    },
  };
}
