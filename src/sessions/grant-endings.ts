import type { Audit, AuditEvent } from "../audit/index.ts";
import type { Clock } from "../core/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import { together } from "./ending-batches.ts";
import type { Endings } from "./endings.ts";
import type { Clearable } from "./settling.ts";
import type { Audiences, ProtocolSessions } from "./protocol-sessions.ts";
import type { NewRevocation, Revocations } from "./revocations.ts";
import { listRows, noteEndedGrant, type SessionRow, withSessionTables } from "./session-records.ts";
import type { EndResult } from "./sessions.ts";

/** How often the sign-ins are looked through for what a parallel request added meanwhile. */
const LOOKS_MAX = 3;

/** A grant that ends before its time. */
export interface EndedGrant {
  readonly id: string;
  readonly sessionId: string;
  readonly accountId: string | undefined;
  readonly clientId: string | undefined;
  readonly audiences: Audiences;
  /** What was presented a second time, where that is why it ends: the person can see it in the audit log. */
  readonly reuseOf?: "authorization_code" | "refresh_token" | undefined;
}

export interface GrantEndingsDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly revocations: Pick<Revocations, "append">;
  readonly protocol: ProtocolSessions;
  readonly endings: Endings;
  readonly forgetConsent: (tx: Db, accountId: string, clientId: string) => Promise<boolean>;
}

/** The steps of a grant's ending, as those of a session: noted and told in a transaction, then cleared. */
function createGrantSteps({ endings, revocations }: Pick<GrantEndingsDeps, "endings" | "revocations">) {
  return {
    /** Grants that were noted before are left out. */
    async noteWithin(tx: Db, grants: readonly EndedGrant[]): Promise<readonly Clearable[]> {
      const noted: Clearable[] = [];
      // In the order of code units, as whoever ends sessions locks them.
      for (const grant of grants.toSorted((left, right) => (left.id < right.id ? -1 : 1))) {
        const row = await noteEndedGrant(withSessionTables(tx), grant.sessionId, grant.id);
        if (row === undefined) continue;
        const revocation = { kind: "consent", grantId: grant.id, audiences: grant.audiences } as const;
        noted.push({ row, told: { revocations: [revocation], clientIds: [] } });
      }
      return noted;
    },
    /** The last statement of the transaction. */
    async tellWithin(tx: Db, noted: readonly Clearable[]): Promise<void> {
      await revocations.append(
        tx,
        noted.flatMap(({ told }) => told.revocations),
      );
    },
    async settle(noted: readonly Clearable[]): Promise<EndResult> {
      // Of several grants of one sign-in the last row knows them all.
      const rows = new Map(noted.map(({ row }) => [row.id, row]));
      const told = noted.flatMap((ending) => ending.told.revocations);
      const isComplete = await endings.settle(
        [...rows.values()].map((row) => ({
          row,
          told: { revocations: [...told, ...toldOfSession(row, noted)], clientIds: [] },
        })),
      );
      return { endedIds: told.flatMap((one) => (one.kind === "consent" ? one.grantId : [])), isComplete };
    },
  };
}

/** Grants end one by one where a token was stolen or given back, and together where a consent is withdrawn. */
export function createGrantEndings(deps: GrantEndingsDeps) {
  const { audit, protocol } = deps;
  const steps = createGrantSteps(deps);
  const inTransaction = <Result>(work: (tx: Db) => Promise<Result>): Promise<Result> =>
    guardStore(() => deps.db.transaction().execute(work));

  return {
    async endGrant(grant: EndedGrant): Promise<EndResult> {
      const noted = await inTransaction(async (tx) => {
        const ending = await steps.noteWithin(tx, [grant]);
        if (ending.length > 0 && grant.reuseOf !== undefined) await audit.append(tx, reuseEvent(grant));
        await steps.tellWithin(tx, ending);
        return ending;
      });
      if (noted.length > 0) return steps.settle(noted);
      // Noted before: whoever did so may have died since.
      await guardStore(() => protocol.clear(grant.sessionId, { scope: undefined, endedGrantIds: [grant.id] }));
      return { endedIds: [], isComplete: true };
    },

    async withdrawConsent(accountId: string, clientId: string): Promise<EndResult> {
      const results: EndResult[] = [];
      for (let look = 0; look < LOOKS_MAX; look += 1) {
        const grants = await findGrants(deps, accountId, clientId);
        if (look > 0 && grants.length === 0) break;
        const noted = await inTransaction(async (tx) => {
          const wasAllowed = await deps.forgetConsent(tx, accountId, clientId);
          const ending = await steps.noteWithin(tx, grants);
          if (wasAllowed || ending.length > 0)
            await audit.append(tx, { type: "consent_withdrawn", accountId, clientId });
          await steps.tellWithin(tx, ending);
          return ending;
        });
        results.push(await steps.settle(noted));
      }
      return together(results);
    },
  };
}

/** The client's grants in all of the account's sign-ins, also in those whose session is over. */
async function findGrants(
  { db, clock, protocol }: GrantEndingsDeps,
  accountId: string,
  clientId: string,
): Promise<readonly EndedGrant[]> {
  const grants: EndedGrant[] = [];
  for (let after = ""; ;) {
    const page = { which: "present", now: new Date(clock.nowMs()), after } as const;
    const rows = await guardStore(() => listRows(withSessionTables(db), accountId, page));
    if (rows.length === 0) return grants;
    const sessions = await guardStore(() => protocol.read(rows.map(({ id }) => id)));
    for (const session of sessions.values()) {
      const own = session.grants.filter((grant) => grant.clientId === clientId);
      grants.push(...own.map(({ id, audiences }) => ({ id, sessionId: session.id, accountId, clientId, audiences })));
    }
    after = rows.at(-1)?.id ?? "";
  }
}

/** Of a session that had ended before and was cleared, everybody has been told; what is there of it are its grants. */
function toldOfSession(row: SessionRow, noted: readonly Clearable[]): readonly NewRevocation[] {
  const endingsNow = noted.filter((ending) => ending.row.id === row.id).length;
  const isToldOf = row.end_scope !== null && row.cleared >= row.endings - endingsNow;
  return isToldOf ? [{ kind: "session", sessionId: row.id, audiences: "all" }] : [];
}

function reuseEvent({ accountId, clientId, sessionId, reuseOf }: EndedGrant): AuditEvent {
  const type = reuseOf === "refresh_token" ? "refresh_token_reused" : "authorization_code_reused";
  return { type, accountId, clientId, sessionId };
}
