import type { Audit } from "../audit/index.ts";
import { AppError } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { RequestSource } from "./account.ts";
import { deleteAccount, lockAccount } from "./account-records.ts";
import { forgetFailures } from "./throttle/budgets.ts";
import { noteFormerId } from "./former-accounts.ts";

/** How often access is ended again for a sign-in that was under way. */
const ENDINGS_MAX = 3;

export interface RemovalDependencies {
  readonly db: Db;
  readonly audit: Audit;
  readonly endSessions: (accountId: string, reason: "account_deleted") => Promise<{ readonly isComplete: boolean }>;
  readonly forgetSessions: (tx: Db, accountId: string) => Promise<boolean>;
}

/**
 * Access ends first and the row goes last: with the row goes all that says what is still to be cleared elsewhere.
 *
 * The account is not disabled in between. Should a store be away, its person is signed out but can come back and try
 * again, which somebody disabled never could. What keeps a sign-in from slipping through is the lock on the account: a
 * session that began before it is found, and none can begin after it.
 */
export function createRemoval(deps: RemovalDependencies) {
  const { db, audit } = deps;

  /** `false`: a session began since all of them were ended. */
  async function removeWhenQuiet(id: string, source: RequestSource): Promise<boolean> {
    return db.transaction().execute(async (tx) => {
      if ((await lockAccount(tx, id)) === undefined) throw new AppError("ACCOUNT_NOT_FOUND");
      if (!(await deps.forgetSessions(tx, id))) return false;
      await deleteAccount(tx, id);
      await forgetFailures(tx, id);
      await noteFormerId(tx, id);
      await audit.append(tx, { type: "account_deleted", accountId: id, ...source });
      // That of this event, too: what stays is that an account was deleted, and when.
      await audit.erasePerson(tx, id);
      return true;
    });
  }

  return async function remove(id: string, source: RequestSource): Promise<void> {
    for (let ending = 0; ending < ENDINGS_MAX; ending += 1) {
      const { isComplete } = await deps.endSessions(id, "account_deleted");
      if (!isComplete) throw new AppError("STORE_UNAVAILABLE", { detail: "sessions are not cleared yet" });
      if (await removeWhenQuiet(id, source)) return;
    }
    throw new AppError("STORE_UNAVAILABLE", { detail: "something of its sessions has not ended yet" });
  };
}
