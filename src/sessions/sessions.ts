import type { Audit } from "../audit/index.ts";
import type { Config } from "../config/index.ts";
import type { Clock } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import { createBeginnings, type NewSession } from "./beginnings.ts";
import type { EndedSession } from "./back-channel/index.ts";
import type { EndReason } from "./ending.ts";
import { createEndings } from "./endings.ts";
import { createGrantEndings, type EndedGrant } from "./grant-endings.ts";
import { createSessionList, type SessionSummary } from "./session-list.ts";
import type { ProtocolSessions } from "./protocol-sessions.ts";
import type { Revocations } from "./revocations.ts";
import { createSweeps } from "./sweeps.ts";
import { createTermination } from "./termination.ts";

/**
 * What an ending did. It is committed when it is returned: every node and every connected service refuses the tokens.
 * `isComplete` is false when the protocol store was away; what lies there is dropped as soon as it answers.
 */
export interface EndResult {
  /** What ended now, and neither before nor by itself. */
  readonly endedIds: readonly string[];
  readonly isComplete: boolean;
}

/**
 * All of these throw AppError STORE_UNAVAILABLE when Postgres does not answer. Then nothing has changed, unless both
 * stores went away after the ending was committed: the sweep completes it.
 */
export interface Sessions {
  /**
   * Notes that a session begins, before the protocol store knows it, and ends others for it when there are too many.
   *
   * @throws AppError SESSION_LIMIT_REACHED
   */
  begin(session: NewSession): Promise<void>;
  /** Whether the account may begin a session now. @throws AppError SESSION_LIMIT_REACHED */
  checkRoom(accountId: string): Promise<void>;
  /** Whether nobody has ended it since; to be asked once the protocol store knows it. */
  isOpen(sessionId: string): Promise<boolean>;

  /** An account's living sessions, the one that was used last first. @throws AppError STORE_UNAVAILABLE without Redis */
  list(accountId: string): Promise<readonly SessionSummary[]>;
  /** @throws AppError SESSION_NOT_FOUND also for a session of somebody else, and for one of which nothing is left. */
  end(accountId: string, sessionId: string, reason: EndReason): Promise<EndResult>;
  endOthers(accountId: string, keptSessionId: string, reason: EndReason): Promise<EndResult>;
  /** Ends what the account has, and with some reasons revokes its tokens altogether: see `END_REASONS`. */
  endAll(accountId: string, reason: EndReason): Promise<EndResult>;
  /** Everybody's sessions and grants, and every token. */
  endEverybodys(reason: EndReason): Promise<EndResult>;
  /** Takes back what a person allowed a client, in all of their sign-ins. `endedIds` are the grants. */
  withdrawConsent(accountId: string, clientId: string): Promise<EndResult>;

  /** For whoever holds the session itself. Ends it also when there is no row of it. */
  endHeld(sessionId: string, reason: EndReason): Promise<EndResult>;
  /** One client's grant in one sign-in; nothing when it ended before. */
  endGrant(grant: EndedGrant): Promise<EndResult>;

  /** Completes what a crash, or a store that was away, left of endings; returns how many. */
  completeEndings(): Promise<number>;
  /**
   * Ends again, in the protocol store, what was cleared from it in that beat of the deployment or since: for a store
   * that came back from the past. 0: all that ever ended.
   */
  redeliverEndings(sinceBeat: number): Promise<number>;
  /**
   * Deletes the rows of an account that is about to be deleted, within the transaction that keeps sessions from beginning.
   * `false`, and nothing done: something has not ended, or is not cleared from the protocol store.
   */
  forgetAccount(tx: Db, accountId: string): Promise<boolean>;
  /** Deletes rows that nothing can hang on any more; returns how many. */
  sweep(): Promise<number>;
}

export interface SessionsDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly revocations: Pick<Revocations, "append">;
  readonly protocol: ProtocolSessions;
  readonly session: Config["session"];
  /** How long anything may hang on one sign-in at the most. */
  readonly lifetimeSeconds: number;
  /** Forgets what the person allowed the client, in the transaction; `false` when there was nothing. */
  readonly forgetConsent: (tx: Db, accountId: string, clientId: string) => Promise<boolean>;
  /** Whom else to tell of a session that ends. Called in the transaction, possibly twice for one session. */
  readonly onSessionEnd: (tx: Db, ended: EndedSession) => Promise<void>;
}

/** The index of sessions and everything that ends access. */
export function createSessions(deps: SessionsDeps): Sessions {
  const endings = createEndings(deps);
  const shared = { ...deps, endings };
  return {
    ...createBeginnings(shared),
    ...createSessionList(shared),
    ...createTermination(shared),
    ...createGrantEndings(shared),
    ...createSweeps(shared),
  };
}

export type { EndedGrant, SessionSummary };
