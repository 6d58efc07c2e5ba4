import type { Config } from "../config/index.ts";
import { type Clock, isAppError } from "../core/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import type { ProtocolSession, ProtocolSessions } from "./protocol-sessions.ts";
import type { Revocations } from "./revocations.ts";
import { markCleared, type SessionRow, withSessionTables } from "./session-records.ts";
import { stillUntold, type Told } from "./what-ends.ts";

const CLEARED_AT_ONCE = 10;

/** A row of which something ended, and what was told of it; its protocol state is still to be cleared. */
export interface Clearable {
  readonly row: SessionRow;
  readonly told: Told;
}

export interface SettlingDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly revocations: Pick<Revocations, "append">;
  readonly protocol: Pick<ProtocolSessions, "clear">;
  readonly session: Pick<Config["session"], "maxSeconds">;
  /** Tells apps of a session's end. */
  readonly tell: (tx: Db, row: SessionRow, clientIds: readonly string[]) => Promise<void>;
}

/** What follows the commit of an ending: the protocol store is cleared, and that is noted. */
export function createSettling(deps: SettlingDeps) {
  const { clock, protocol, tell } = deps;
  const db = withSessionTables(deps.db);

  /** What turned up while clearing and nobody has been told of yet. */
  async function tellRest(row: SessionRow, rest: Told): Promise<void> {
    if (rest.revocations.length === 0 && rest.clientIds.length === 0) return;
    await deps.db.transaction().execute(async (tx) => {
      if (rest.clientIds.length > 0) await tell(tx, row, rest.clientIds);
      await deps.revocations.append(tx, rest.revocations);
    });
  }

  async function clear({ row, told }: Clearable): Promise<void> {
    const clearing = { scope: row.end_scope ?? undefined, endedGrantIds: row.ended_grants };
    const { seen, isEmpty } = await protocol.clear(row.id, clearing);
    await tellRest(row, stillUntold(row, seen, told));
    await markCleared(db, row, { isEmpty, until: isEmpty ? endOfCopies(row, seen) : undefined });
  }

  /** For so long a copy of the store may bring back what was there; undefined: as long as anything of a sign-in lives. */
  function endOfCopies(row: SessionRow, seen: ProtocolSession | undefined): Date | undefined {
    const hadMore = row.ended_grants.length > 0 || seen?.grants.some(({ outlivesSession }) => outlivesSession) === true;
    return seen === undefined || hadMore ? undefined : new Date(clock.nowMs() + deps.session.maxSeconds * 1000);
  }

  return async (endings: readonly Clearable[]): Promise<boolean> => {
    let isComplete = true;
    for (let at = 0; at < endings.length; at += CLEARED_AT_ONCE) {
      const batch = endings.slice(at, at + CLEARED_AT_ONCE);
      const results = await Promise.allSettled(batch.map((ending) => guardStore(() => clear(ending))));
      for (const result of results) {
        if (result.status === "fulfilled") continue;
        if (!isAppError(result.reason, "STORE_UNAVAILABLE")) throw result.reason;
        isComplete = false;
      }
    }
    return isComplete;
  };
}
