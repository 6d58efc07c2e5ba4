import { sql } from "kysely";
import { type Clock, sha256 } from "../core/index.ts";
import { networkOf } from "../accounts/index.ts";
import type { Db } from "../storage/index.ts";
import type { FactorSource } from "./factors.ts";
import { withTables } from "./tables.ts";

const ATTEMPTS_MAX = 5;
const PAUSE_SECONDS = 15 * 60;

export type AttemptVerdict =
  /** `isLast`: when this one is wrong, too, the pause begins. */
  | { readonly verdict: "open"; readonly isLast: boolean }
  | { readonly verdict: "paused"; readonly retryAfterSeconds: number };

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
 * Counts in Postgres, on the clock that everything here goes by: a statement of our own, because rate-limiter-flexible
 * reads the system's time by itself, and ends a window by its first attempt. Here the pause is 15 minutes from the fifth
 * wrong code on, however often somebody tries meanwhile.
 */
export function createAttempts({ db, clock }: { readonly db: Db; readonly clock: Clock }): Attempts {
  async function count(subject: string, device: string): Promise<AttemptVerdict> {
    const nowMs = clock.nowMs();
    const now = new Date(nowMs);
    const { rows } = await sql<{ attempts: number; ends_at: Date }>`
      insert into factor_throttle as budget (subject, device, attempts, ends_at)
      values (${subject}, ${device}, 1, ${new Date(nowMs + PAUSE_SECONDS * 1_000)})
      on conflict (subject, device) do update set
        attempts = case when budget.ends_at <= ${now} then 1
                        else least(budget.attempts, ${ATTEMPTS_MAX}::integer) + 1 end,
        ends_at = case when budget.ends_at <= ${now} or budget.attempts < ${ATTEMPTS_MAX}::integer
                       then excluded.ends_at else budget.ends_at end
      returning attempts, ends_at`.execute(db);
    const [budget] = rows;
    if (budget === undefined) throw new Error("an attempt was not counted");
    if (budget.attempts <= ATTEMPTS_MAX) return { verdict: "open", isLast: budget.attempts === ATTEMPTS_MAX };
    const waitSeconds = Math.ceil((budget.ends_at.getTime() - nowMs) / 1_000);
    return { verdict: "paused", retryAfterSeconds: Math.max(1, waitSeconds) };
  }
  return {
    count: (accountId, { knownDevice = "" }) => count(accountId, knownDevice),
    async forgive(tx, accountId, { knownDevice = "" }) {
      await withTables(tx)
        .deleteFrom("factor_throttle")
        .where("subject", "=", accountId)
        .where("device", "=", knownDevice)
        .execute();
    },
    async forgiveAll(tx, accountId) {
      await withTables(tx).deleteFrom("factor_throttle").where("subject", "=", accountId).execute();
    },
    async countPasskeyFailure(address) {
      // No account's id has a colon, and nobody's address is stored.
      const { verdict } = await count(`network:${sha256(networkOf(address)).toString("base64url")}`, "");
      return { isToBeRecorded: verdict === "open" };
    },
  };
}
