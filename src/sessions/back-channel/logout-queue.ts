import { sql } from "kysely";
import type { Audit } from "../../audit/index.ts";
import type { Clock } from "../../core/index.ts";
import { type Db, guardStore } from "../../storage/index.ts";
import { RETRY_WINDOW_SECONDS } from "./retry-schedule.ts";
import { withBackChannelTables } from "./tables.ts";

/** Wakes the workers of every node when the transaction that notified it commits. */
export const LOGOUT_CHANNEL = "latchkey_back_channel_logouts";

/** A session that ended, and the clients that were used in it. */
export interface EndedSession {
  readonly accountId: string;
  /** The `sid` of its tokens. */
  readonly sessionId: string;
  readonly clientIds: readonly string[];
}

/** A client that wants to be told of sign-outs. */
export interface LogoutRecipient {
  readonly clientId: string;
  readonly logoutUri: string;
}

/** Which clients want to be told. `clients` keeps that; `services.ts` joins the two. */
export interface LogoutRecipients {
  /** Those of the clients that have a back-channel URI, read within the transaction. */
  listLogoutRecipients(tx: Db, clientIds: readonly string[]): Promise<readonly LogoutRecipient[]>;
}

export interface LogoutQueue {
  /**
   * Puts down, in the transaction that ends the session, whom to tell of it: one row for each client that has a
   * back-channel URI, none for the others. The workers wake when the transaction commits. A session that is ended twice
   * is told of once while the first row waits.
   *
   * Call it before `Revocations.append`, which wants to be the last thing in a transaction.
   */
  readonly enqueueLogouts: (tx: Db, ended: EndedSession) => Promise<void>;
  /** Gives up what nobody could deliver in time because no node was running; returns how many rows, 500 at most. */
  sweep(): Promise<number>;
}

export interface LogoutQueueDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly recipients: LogoutRecipients;
}

export function createLogoutQueue({ db, clock, audit, recipients }: LogoutQueueDeps): LogoutQueue {
  return {
    async enqueueLogouts(tx, { accountId, sessionId, clientIds }) {
      if (clientIds.length === 0) return;
      const told = await recipients.listLogoutRecipients(tx, clientIds);
      if (told.length === 0) return;
      const nowMs = clock.nowMs();
      const rows = told.map(({ clientId, logoutUri }) => ({
        client_id: clientId,
        account_id: accountId,
        session_id: sessionId,
        host: new URL(logoutUri).host,
        due_at: new Date(nowMs),
        expires_at: new Date(nowMs + RETRY_WINDOW_SECONDS * 1000),
      }));
      await withBackChannelTables(tx)
        .insertInto("back_channel_logouts")
        .values(rows)
        .onConflict((conflict) => conflict.columns(["session_id", "client_id"]).doNothing())
        .execute();
      await sql`select pg_notify(${LOGOUT_CHANNEL}, '')`.execute(tx);
    },

    sweep: () =>
      guardStore(() =>
        db.transaction().execute(async (tx) => {
          const expired = await takeExpired(tx, new Date(clock.nowMs()));
          for (const { account_id: accountId, client_id: clientId, session_id: sessionId, host, tries } of expired) {
            const data = { host, tries, reason: "expired" };
            await audit.append(tx, { type: "back_channel_logout_given_up", accountId, clientId, sessionId, data });
          }
          return expired.length;
        }),
      ),
  };
}

/** Not more at once than one short transaction holds. */
const SWEPT_MAX = 500;

function takeExpired(tx: Db, now: Date) {
  const tables = withBackChannelTables(tx);
  const some = tables
    .selectFrom("back_channel_logouts")
    .select("id")
    .where("expires_at", "<=", now)
    .limit(SWEPT_MAX)
    .forUpdate()
    .skipLocked();
  return tables.deleteFrom("back_channel_logouts").where("id", "in", some).returningAll().execute();
}
