import type { Audit } from "../audit/index.ts";
import type { Config } from "../config/index.ts";
import type { Clock } from "../core/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import { describeDevice } from "./device.ts";
import type { Ending, Endings } from "./endings.ts";
import type { ProtocolSessions } from "./protocol-sessions.ts";
import { createSessionLimit } from "./session-limit.ts";
import { findRow, insertRow, withSessionTables } from "./session-records.ts";

/** A session that begins, with what the request told of it. */
export interface NewSession {
  readonly id: string;
  readonly accountId: string;
  /** The client that the person came from. */
  readonly clientId?: string | undefined;
  /** As seen behind trusted proxies. */
  readonly address?: string | undefined;
  /** The header as it was sent; only a description of the device is kept. */
  readonly userAgent?: string | undefined;
  readonly requestId?: string | undefined;
  /** Whether the person has not signed in with this browser before. */
  readonly isNewBrowser?: boolean | undefined;
  readonly acr?: string | undefined;
  readonly amr: readonly string[];
}

export interface BeginningsDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly endings: Endings;
  readonly protocol: Pick<ProtocolSessions, "read">;
  readonly session: Pick<Config["session"], "maxPerAccount" | "limitPolicy">;
  readonly lifetimeSeconds: number;
}

/** Sessions come in by one transaction, under the account's limit. */
export function createBeginnings(deps: BeginningsDeps) {
  const { clock, endings } = deps;
  const db = withSessionTables(deps.db);
  const limit = createSessionLimit({ db, clock, read: deps.protocol.read, settings: deps.session });

  async function insert(tx: Db, session: NewSession): Promise<void> {
    const now = clock.nowMs();
    const { id, accountId, clientId, address, requestId, acr, amr } = session;
    const isNew = await insertRow(withSessionTables(tx), {
      id,
      accountId,
      createdAt: new Date(now),
      expiresAt: new Date(now + deps.lifetimeSeconds * 1000),
      clientId,
      address,
      device: describeDevice(session.userAgent),
      acr,
      amr,
    });
    if (!isNew) return;
    const about = { accountId, sessionId: id, clientId, address, requestId };
    const data = session.isNewBrowser === true ? { newBrowser: true } : {};
    await deps.audit.append(tx, { type: "session_started", ...about, data });
  }

  return {
    async begin(session: NewSession): Promise<void> {
      const lapsed = await limit.findLapsed(session.accountId);
      const evicted = await guardStore(() =>
        deps.db.transaction().execute(async (tx): Promise<readonly Ending[]> => {
          const ids = await limit.makeRoom(withSessionTables(tx), session, lapsed);
          await insert(tx, session);
          return ids.length === 0 ? [] : endings.endWithin(tx, { ids, reason: "limit", known: lapsed.known });
        }),
      );
      await endings.settle(evicted);
    },
    async checkRoom(accountId: string): Promise<void> {
      if (deps.session.limitPolicy === "evict-oldest" || deps.session.maxPerAccount === 0) return;
      const lapsed = await limit.findLapsed(accountId);
      const beginner = { id: "", accountId };
      await guardStore(() =>
        deps.db.transaction().execute((tx) => limit.makeRoom(withSessionTables(tx), beginner, lapsed)),
      );
    },
    async isOpen(sessionId: string): Promise<boolean> {
      const row = await guardStore(() => findRow(db, sessionId));
      return row !== undefined && row.end_scope === null;
    },
  };
}
