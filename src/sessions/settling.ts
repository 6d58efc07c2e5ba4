import type { Config } from "../config/index.ts";
import { type Clock, epochSeconds, isAppError } from "../core/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import type { ProtocolSession, ProtocolSessions } from "./protocol-sessions.ts";
import { type NewRevocation, readTokenSecondsMax, type Revocations } from "./revocations.ts";
import { markCleared, type SessionRow, withSessionTables } from "./session-records.ts";
import { revocationsOf, stillUntold, type Told } from "./what-ends.ts";

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

  /**
   * Until the store is cleared a parallel request may still add an audience, and nobody can see it now: so everybody is
   * told of what ended.
   */
  async function tellEverybody(left: readonly Clearable[]): Promise<void> {
    const toAll = left.flatMap(({ told }) => told.revocations.filter(isToldToSome).map(forAll));
    if (toAll.length === 0) return;
    await deps.db.transaction().execute((tx) => deps.revocations.append(tx, toAll));
  }

  /** Somebody else's ending, of which it is not known how far it came, and so recent that a token of it may live. */
  async function isLeftOver({ row, told }: Clearable): Promise<boolean> {
    if (told.revocations.length > 0 || row.ended_at === null) return false;
    const secondsAgo = (clock.nowMs() - row.ended_at.getTime()) / 1_000;
    return secondsAgo < (await readTokenSecondsMax(deps.db, epochSeconds(clock)));
  }

  async function clear({ row, told }: Clearable): Promise<void> {
    const clearing = { scope: row.end_scope ?? undefined, endedGrantIds: row.ended_grants };
    const { seen, isEmpty } = await protocol.clear(row.id, clearing);
    const isUnclear = seen === undefined && (await isLeftOver({ row, told }));
    await tellRest(row, isUnclear ? toldToEverybody(row) : stillUntold(row, seen, told));
    await markCleared(db, row, { isEmpty, until: isEmpty ? endOfCopies(row, seen) : undefined });
  }

  /** For so long a copy of the store may bring back what was there; undefined: as long as anything of a sign-in lives. */
  function endOfCopies(row: SessionRow, seen: ProtocolSession | undefined): Date | undefined {
    const hadMore = row.ended_grants.length > 0 || seen?.grants.some(({ outlivesSession }) => outlivesSession) === true;
    return seen === undefined || hadMore ? undefined : new Date(clock.nowMs() + deps.session.maxSeconds * 1000);
  }

  return async (endings: readonly Clearable[]): Promise<boolean> => {
    const left: Clearable[] = [];
    for (let at = 0; at < endings.length; at += CLEARED_AT_ONCE) {
      const batch = endings.slice(at, at + CLEARED_AT_ONCE);
      const results = await Promise.allSettled(batch.map((ending) => guardStore(() => clear(ending))));
      for (const [position, result] of results.entries()) {
        if (result.status === "fulfilled") continue;
        if (!isAppError(result.reason, "STORE_UNAVAILABLE")) throw result.reason;
        left.push(...batch.slice(position, position + 1));
      }
    }
    await guardStore(() => tellEverybody(left));
    return left.length === 0;
  };
}

/** Whoever cleared the store may have died before it told of what had turned up there, and now nothing shows it any more. */
function toldToEverybody(row: SessionRow): Told {
  return { revocations: revocationsOf(row, undefined), clientIds: [] };
}

type ToldToSome = Extract<NewRevocation, { readonly audiences: unknown }>;

function forAll(revocation: ToldToSome): NewRevocation {
  return { ...revocation, audiences: "all" };
}

function isToldToSome(revocation: NewRevocation): revocation is ToldToSome {
  return "audiences" in revocation && revocation.audiences !== "all";
}
