import { sql } from "kysely";
import { type Clock, sha256 } from "../core/index.ts";
import { type BudgetPlace, CODE_BUDGET, createBudgets, createWindowsInPostgres, networkOf } from "../accounts/index.ts";
import type { Db } from "../storage/index.ts";
import type { FactorSource } from "./factors.ts";

const PASSKEY_FAILURES = { name: "passkey", attemptsMax: 5, seconds: 15 * 60 };

export type AttemptVerdict =
  /** `isLast`: when this one is wrong, too, a pause begins. */
  | { readonly verdict: "open"; readonly isLast: boolean }
  /** `isSpent`: waiting does not help any more. */
  | { readonly verdict: "paused"; readonly retryAfterSeconds: number; readonly isSpent: boolean };

/** Limits how often codes are guessed. The codes of apps and recovery codes share a budget: five for both. */
export interface Attempts {
  /**
   * Counts an attempt at an account, and says whether it may be looked at. To be called before: counting and comparing
   * are one statement, so that of 200 parallel attempts five are evaluated.
   */
  count(accountId: string, source: FactorSource): Promise<AttemptVerdict>;
  /** Gives the account its attempts back after a right code: those of this browser, and no other's. */
  forgive(tx: Db, accountId: string, source: FactorSource): Promise<void>;
  /** Gives it back all that anybody used up. */
  forgiveAll(tx: Db, accountId: string): Promise<void>;
  /** Whether the failure of a passkey is to be recorded: nobody fills the log, which cannot be shortened, by failing on. */
  countPasskeyFailure(address: string): Promise<{ readonly isToBeRecorded: boolean }>;
}

/**
 * Five tries, and a pause that begins with the fifth wrong code and grows from 15 minutes to an hour; after a hundred
 * wrong codes without a right one none is looked at (NIST SP 800-63B-4, section 3.2.2). Whoever gets here knew the password.
 */
export function createAttempts({ db, clock }: { readonly db: Db; readonly clock: Clock }): Attempts {
  const budgets = createBudgets({ db, clock });
  const windows = createWindowsInPostgres({ db, clock });
  return {
    async count(accountId, source) {
      const { subject, device } = placeOf(accountId, source);
      const place = sql<BudgetPlace>`select ${subject}::text as subject, ${device}::text as device`;
      const counted = await budgets.count({ authenticator: "code", budget: CODE_BUDGET, place });
      if (counted.verdict === "open") return { verdict: "open", isLast: counted.startsWait };
      const { retryAfterSeconds, isSpent } = counted;
      return { verdict: "paused", retryAfterSeconds, isSpent };
    },
    forgive: (tx, accountId, source) => budgets.forgive(tx, "code", placeOf(accountId, source)),
    async forgiveAll(tx, accountId) {
      await budgets.release(tx, "code", sql`${accountId}`);
    },
    async countPasskeyFailure(address) {
      const { attempts } = await windows.count(PASSKEY_FAILURES, sha256(networkOf(address)).toString("base64url"));
      return { isToBeRecorded: attempts <= PASSKEY_FAILURES.attemptsMax };
    },
  };
}

function placeOf(subject: string, { knownDevice = "" }: FactorSource): BudgetPlace {
  return { subject, device: knownDevice };
}
