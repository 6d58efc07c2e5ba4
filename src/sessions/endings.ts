import type { Audit } from "../audit/index.ts";
import type { Config } from "../config/index.ts";
import { type Clock, isAppError } from "../core/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import type { EndedSession } from "./back-channel/index.ts";
import { decideEnding, END_REASONS, type EndReason } from "./ending.ts";
import type { ProtocolSession, ProtocolSessions } from "./protocol-sessions.ts";
import type { NewRevocation, Revocations } from "./revocations.ts";
import { lockRows, markEnded, type SessionRow, withSessionTables } from "./session-records.ts";
import { type Clearable, createSettling } from "./settling.ts";
import { revocationsOf, TOLD_NOTHING } from "./what-ends.ts";

export interface EndingsDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly revocations: Pick<Revocations, "append">;
  readonly protocol: ProtocolSessions;
  readonly session: Pick<Config["session"], "maxSeconds">;
  /** Whom else to tell of a session that ends, in the same transaction. A session may be told of twice. */
  readonly onSessionEnd: (tx: Db, ended: EndedSession) => Promise<void>;
}

export interface Ending extends Clearable {
  /** As far as is known, a session ended now that had not ended by itself. */
  readonly wasAlive: boolean;
}

/** What the protocol store has of sign-ins; `undefined` when it is away. */
export type KnownSessions = ReadonlyMap<string, ProtocolSession> | undefined;

export interface EndRequest {
  readonly ids: readonly string[];
  readonly reason: EndReason;
  /** What the protocol store had of them before. Of what is missing here, everybody is told. */
  readonly known: KnownSessions;
  /** Revocations beyond those of the sessions themselves. */
  readonly beyond?: readonly NewRevocation[];
}

/**
 * The order of every ending: in one transaction the row, the audit event, whom to tell, and last the revocations; after
 * its commit the protocol store; then the note that it was cleared. Who dies in between leaves a row that says so.
 */
export interface Endings {
  /** That the store is away keeps nobody from ending anything. */
  look(ids: readonly string[]): Promise<KnownSessions>;
  /** The first step, as the last of a transaction. Of rows that are ended so already, only what waits is returned. */
  endWithin(tx: Db, request: EndRequest): Promise<readonly Ending[]>;
  /** The second and third step. `false`: the store was away, and the sweep will complete it. */
  settle(endings: readonly Clearable[]): Promise<boolean>;
}

export function createEndings(deps: EndingsDeps): Endings {
  const { clock, protocol } = deps;

  async function tell(tx: Db, row: SessionRow, clientIds: readonly string[]): Promise<void> {
    await deps.onSessionEnd(tx, { accountId: row.account_id, sessionId: row.id, clientIds });
  }

  /** @param how `isNow`: the session ends; otherwise it had ended, and what stayed then goes now. */
  async function noteEnd(
    tx: Db,
    row: SessionRow,
    how: { readonly reason: EndReason; readonly known: KnownSessions; readonly isNow: boolean },
  ): Promise<Ending> {
    const has = how.known?.get(row.id);
    const revocations = revocationsOf(row, has);
    if (!how.isNow) return { row, told: { revocations, clientIds: [] }, wasAlive: false };
    const { id: sessionId, account_id: accountId } = row;
    const clientIds = has?.clientIds ?? [];
    await deps.audit.append(tx, { type: "session_ended", accountId, sessionId, data: { reason: how.reason } });
    await tell(tx, row, clientIds);
    return { row, told: { revocations, clientIds }, wasAlive: how.known === undefined || has?.isAlive === true };
  }

  return {
    async look(ids) {
      if (ids.length === 0) return new Map();
      try {
        return await guardStore(() => protocol.read(ids));
      } catch (error) {
        if (isAppError(error, "STORE_UNAVAILABLE")) return undefined;
        throw error;
      }
    },
    async endWithin(tx, { ids, reason, known, beyond = [] }) {
      const tables = withSessionTables(tx);
      const scope = END_REASONS[reason];
      const before = await lockRows(tables, ids);
      const decisions = Map.groupBy(before, (row) => decideEnding({ endScope: row.end_scope ?? undefined }, scope));
      const { end = [], upgrade = [], nothing = [] } = Object.fromEntries(decisions);
      const changing = [...end, ...upgrade].map(({ id }) => id);
      const rows = await markEnded(tables, changing, { at: new Date(clock.nowMs()), reason, scope });
      const ending = new Set(end.map(({ id }) => id));
      const endings: Ending[] = [];
      for (const row of rows) endings.push(await noteEnd(tx, row, { reason, known, isNow: ending.has(row.id) }));
      await deps.revocations.append(tx, [...endings.flatMap(({ told }) => told.revocations), ...beyond]);
      const waiting = nothing.filter((row) => row.cleared < row.endings);
      return [...endings, ...waiting.map((row) => ({ row, told: TOLD_NOTHING, wasAlive: false }))];
    },
    settle: createSettling({ ...deps, tell }),
  };
}
