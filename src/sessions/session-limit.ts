import { sql } from "kysely";
import { AppError, type Clock, epochSeconds, sha256 } from "../core/index.ts";
import type { Config } from "../config/index.ts";
import { guardStore } from "../storage/index.ts";
import type { ProtocolSession, ReadProtocolSessions } from "./protocol-sessions.ts";
import { listRows, ROWS_MAX, type SessionDb, type SessionRow } from "./session-records.ts";

/** A session's row is there before the session is. So young a one counts although the store does not know it. */
const BEGINNING_SECONDS = 30;

/** What was known of an account's sessions before the transaction. */
export interface Lapsed {
  /** Sessions that nobody ended and that are over all the same. */
  readonly ids: ReadonlySet<string>;
  readonly known: ReadonlyMap<string, ProtocolSession>;
}

interface Beginner {
  readonly id: string;
  readonly accountId: string;
}

export interface SessionLimitDeps {
  readonly db: SessionDb;
  readonly clock: Clock;
  readonly read: ReadProtocolSessions;
  readonly settings: Pick<Config["session"], "maxPerAccount" | "limitPolicy">;
}

/**
 * How many sessions an account may have at once. What ended by itself, through idleness, is known to the protocol store
 * alone, which is asked before the transaction: what was over then cannot come back. Who counts as alive is decided
 * within it, under a lock on the account that sign-ins on all nodes take in turn.
 */
export function createSessionLimit({ db, clock, read, settings }: SessionLimitDeps) {
  async function listOpen(on: SessionDb, accountId: string): Promise<readonly SessionRow[]> {
    const rows: SessionRow[] = [];
    for (;;) {
      const now = new Date(clock.nowMs());
      const page = await listRows(on, accountId, { which: "open", now, after: rows.at(-1)?.id ?? "" });
      rows.push(...page);
      if (page.length < ROWS_MAX) return rows;
    }
  }

  return {
    /** Nothing when there is no limit. @throws AppError STORE_UNAVAILABLE */
    async findLapsed(accountId: string): Promise<Lapsed> {
      if (settings.maxPerAccount === 0) return { ids: new Set(), known: new Map() };
      const beginning = (epochSeconds(clock) - BEGINNING_SECONDS) * 1000;
      const open = await guardStore(() => listOpen(db, accountId));
      const known = await guardStore(() => read(open.map(({ id }) => id)));
      const lapsed = open.filter(({ id, created_at: begunAt }) => {
        const session = known.get(id);
        return session === undefined ? begunAt.getTime() < beginning : !session.isAlive;
      });
      return { ids: new Set(lapsed.map(({ id }) => id)), known };
    },
    /**
     * Makes room for one more session, within the transaction that begins it; returns which are to end for it.
     *
     * @throws AppError SESSION_LIMIT_REACHED when the policy is to refuse.
     */
    async makeRoom(tx: SessionDb, session: Beginner, lapsed: Lapsed): Promise<readonly string[]> {
      if (settings.maxPerAccount === 0) return [];
      await sql`select pg_advisory_xact_lock(${lockKeyOf(session.accountId)}::bigint)`.execute(tx);
      const open = await listOpen(tx, session.accountId);
      const living = open.filter(({ id }) => id !== session.id && !lapsed.ids.has(id));
      const tooMany = living.length + 1 - settings.maxPerAccount;
      if (tooMany <= 0) return [];
      if (settings.limitPolicy === "refuse") throw new AppError("SESSION_LIMIT_REACHED");
      return living
        .toSorted((left, right) => left.created_at.getTime() - right.created_at.getTime())
        .slice(0, tooMany)
        .map(({ id }) => id);
    },
  };
}

/** Advisory locks go by a number: 63 bits of the id's digest, apart from the small numbers that others use. */
function lockKeyOf(accountId: string): string {
  return sha256(`sessions of ${accountId}`).readBigInt64BE().toString();
}
