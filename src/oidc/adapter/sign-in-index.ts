import { type Clock, epochSeconds } from "../../core/index.ts";
import { guardStore, type Db } from "../../storage/index.ts";
import { parseTag, type SignInTag } from "./identifiers.ts";

type SignInTables = {
  oidc_sign_ins: { account_id: string; tag: string; expires_at: string };
};

/** Which sign-ins an account has, in Postgres whatever the protocol store: written once a sign-in, never per request. */
export interface SignInIndex {
  add(accountId: string, tag: SignInTag): Promise<void>;
  remove(accountId: string, tag: SignInTag): Promise<void>;
  list(accountId: string): Promise<readonly SignInTag[]>;
  /** Deletes what has expired; returns how many rows. */
  sweep(): Promise<number>;
}

/** @param deps.lifetimeSeconds how long anything may hang on one sign-in at the most. */
export function createSignInIndex(deps: { db: Db; clock: Clock; lifetimeSeconds: number }): SignInIndex {
  const db = deps.db.withTables<SignInTables>();
  const now = (): number => epochSeconds(deps.clock);

  return {
    async add(accountId, tag) {
      const expiresAt = String(now() + deps.lifetimeSeconds);
      await guardStore(() =>
        db
          .insertInto("oidc_sign_ins")
          .values({ account_id: accountId, tag, expires_at: expiresAt })
          .onConflict((conflict) => conflict.columns(["account_id", "tag"]).doNothing())
          .execute(),
      );
    },
    async remove(accountId, tag) {
      await guardStore(() =>
        db.deleteFrom("oidc_sign_ins").where("account_id", "=", accountId).where("tag", "=", tag).execute(),
      );
    },
    async list(accountId) {
      const rows = await guardStore(() =>
        db.selectFrom("oidc_sign_ins").select("tag").where("account_id", "=", accountId).execute(),
      );
      return rows.map(({ tag }) => parseTag(tag)).filter((tag) => tag !== undefined);
    },
    async sweep() {
      const [result] = await guardStore(() =>
        db.deleteFrom("oidc_sign_ins").where("expires_at", "<=", String(now())).execute(),
      );
      return Number(result?.numDeletedRows ?? 0n);
    },
  };
}
