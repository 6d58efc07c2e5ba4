import type { FactorKind, FactorServices } from "./dependencies.ts";
import { originOf } from "./dependencies.ts";
import type { FactorOutcome, FactorSource } from "./factors.ts";

/** Why a code was refused: for the audit log. The person is told the same in every case. */
export type CodeFault = "wrong_code" | "replayed_code";

export type Judgement<Accepted extends object> =
  | { readonly accepted: Accepted; readonly fault?: undefined }
  | { readonly fault: CodeFault };

export interface GuardedAttempt<Accepted extends object> {
  readonly accountId: string;
  readonly factor: FactorKind;
  readonly source: FactorSource;
  /** Accepting is its own: it forgives and records in the transaction that uses the code up. */
  readonly judge: () => Promise<Judgement<Accepted>>;
}

/** Counts, lets the code be judged while the budget lasts, and records what was refused. */
export async function guardAttempt<Accepted extends object>(
  { db, audit, attempts }: FactorServices,
  { accountId, factor, source, judge }: GuardedAttempt<Accepted>,
): Promise<FactorOutcome<Accepted>> {
  const verdict = await attempts.count(accountId, source);
  if (verdict.verdict === "paused") {
    const { retryAfterSeconds, isSpent } = verdict;
    return { outcome: "paused", retryAfterSeconds, ...(isSpent ? { isSpent } : {}) };
  }
  const judgement = await judge();
  if (judgement.fault === undefined) return { outcome: "accepted", ...judgement.accepted };
  const about = { accountId, ...originOf(source) };
  await audit.append(db, { type: "factor_failed", data: { factor, reason: judgement.fault }, ...about });
  // Once a pause: exactly one attempt is the last of its budget.
  if (verdict.isLast) await audit.append(db, { type: "factor_paused", data: { factor }, ...about });
  return { outcome: "refused", wasUsed: judgement.fault === "replayed_code" };
}
