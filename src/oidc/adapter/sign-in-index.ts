import type { Audit } from "../../audit/index.ts";
import { type Clock, epochSeconds } from "../../core/index.ts";
import { guardStore, type Db } from "../../storage/index.ts";
import { parseTag, type SignInTag } from "./identifiers.ts";

type SignInTables = {
  oidc_sign_ins: { account_id: string; tag: string; expires_at: string };
};

/**
 * Which sign-ins an account has, in Postgres whatever the protocol store: written once a sign-in, never per request.
 * Beginnings and ends go to the audit log in the same transaction.
 */
export interface SignInIndex {
  add(accountId: string, tag: SignInTag): Promise<void>;
  /** `whole`: nothing hangs on the sign-in any more. `session`: its session ended, and grants given for longer stay. */
  end(accountId: string, tag: SignInTag, what: "whole" | "session"): Promise<void>;
  list(accountId: string): Promise<readonly SignInTag[]>;
  /** Deletes what has expired; returns how many rows. */
  sweep(): Promise<number>;
}

export interface SignInIndexDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  /** How long anything may hang on one sign-in at the most. */
  readonly lifetimeSeconds: number;
}

export function createSignInIndex({ db, clock, audit, lifetimeSeconds }: SignInIndexDeps): SignInIndex {
  const now = (): number => epochSeconds(clock);

  return {
    add: (accountId, tag) =>
      guardStore(() =>
        db.transaction().execute(async (tx) => {
          const { numInsertedOrUpdatedRows = 0n } = await tx
            .withTables<SignInTables>()
            .insertInto("oidc_sign_ins")
            .values({ account_id: accountId, tag, expires_at: String(now() + lifetimeSeconds) })
            .onConflict((conflict) => conflict.columns(["account_id", "tag"]).doNothing())
            .executeTakeFirst();
          if (numInsertedOrUpdatedRows === 0n) return;
          await audit.append(tx, { type: "session.started", accountId, sessionId: tag });
        }),
      ),
    end: (accountId, tag, what) =>
      guardStore(() =>
        db.transaction().execute(async (tx) => {
          const tables = tx.withTables<SignInTables>();
          const row = tables.deleteFrom("oidc_sign_ins").where("account_id", "=", accountId).where("tag", "=", tag);
          if (what === "whole") await row.execute();
          await audit.append(tx, { type: "session.ended", accountId, sessionId: tag });
        }),
      ),
    async list(accountId) {
      const query = db.withTables<SignInTables>().selectFrom("oidc_sign_ins").select("tag");
      const rows = await guardStore(() => query.where("account_id", "=", accountId).execute());
      return rows.map(({ tag }) => parseTag(tag)).filter((tag) => tag !== undefined);
    },
    async sweep() {
      const expired = db
        .withTables<SignInTables>()
        .deleteFrom("oidc_sign_ins")
        .where("expires_at", "<=", String(now()));
      const { numDeletedRows } = await guardStore(() => expired.executeTakeFirst());
      return Number(numDeletedRows);
    },
  };
}
