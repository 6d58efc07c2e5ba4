import type { Clock } from "../core/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import type { ProtocolSession, ProtocolSessions } from "./protocol-sessions.ts";
import { listRows, ROWS_MAX, type SessionRow, withSessionTables } from "./session-records.ts";

/** A living session, as its owner and an operator may see it. Holds nothing that lets anybody into it. */
export interface SessionSummary {
  /** The `sid` of its tokens. */
  readonly id: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  /** Where the sign-in came from; absent for sessions from before this was noted. */
  readonly address: string | undefined;
  /** Such as "Firefox on Linux". */
  readonly device: string | undefined;
  readonly acr: string | undefined;
  readonly amr: readonly string[];
  /** The client that the person signed in for. */
  readonly begunBy: string | undefined;
  readonly clientIds: readonly string[];
  /** When each client that holds a grant got tokens last, as far as that is known. */
  readonly clientUses: readonly { readonly clientId: string; readonly lastUsedAt: Date }[];
  /** The APIs that its tokens are for. */
  readonly audiences: readonly string[];
}

export interface SessionListDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly protocol: Pick<ProtocolSessions, "read">;
}

/** What changes with use (last use, clients, audiences) is read from the protocol store when somebody looks. */
export function createSessionList({ db, clock, protocol }: SessionListDeps) {
  return {
    async list(accountId: string): Promise<readonly SessionSummary[]> {
      const summaries: SessionSummary[] = [];
      for (let after = ""; ;) {
        const page = { which: "open", now: new Date(clock.nowMs()), after } as const;
        const rows = await guardStore(() => listRows(withSessionTables(db), accountId, page));
        const living = await guardStore(() => protocol.read(rows.map(({ id }) => id)));
        summaries.push(...rows.flatMap((row) => summarize(row, living.get(row.id))));
        if (rows.length < ROWS_MAX) break;
        after = rows.at(-1)?.id ?? "";
      }
      return summaries.toSorted((left, right) => right.lastUsedAt.getTime() - left.lastUsedAt.getTime());
    },
  };
}

function summarize(row: SessionRow, session: ProtocolSession | undefined): readonly SessionSummary[] {
  if (session?.isAlive !== true) return [];
  const clientIds = [...new Set([...session.clientIds, ...session.grants.flatMap(({ clientId }) => clientId ?? [])])];
  return [
    {
      id: row.id,
      createdAt: new Date(session.begunAt * 1000),
      lastUsedAt: new Date(session.lastUsedAt * 1000),
      address: row.address ?? undefined,
      device: row.device ?? undefined,
      acr: session.acr,
      amr: session.amr,
      begunBy: row.client_id ?? undefined,
      clientIds: clientIds.toSorted(),
      clientUses: usesOf(session),
      audiences: [
        ...new Set(session.grants.flatMap(({ audiences }) => (audiences === "all" ? [] : audiences))),
      ].toSorted(),
    },
  ];
}

function usesOf({ grants }: ProtocolSession): SessionSummary["clientUses"] {
  const known = grants.filter(({ lastUsedAt }) => lastUsedAt > 0);
  return known.flatMap(({ clientId, lastUsedAt }) =>
    clientId === undefined ? [] : [{ clientId, lastUsedAt: new Date(lastUsedAt * 1000) }],
  );
}
