import type { Db } from "../../storage/index.ts";
import { type FactorServices, originOf } from "../dependencies.ts";
import type { FactorOutcome, FactorSource } from "../factors.ts";
import { guardAttempt, type Judgement } from "../guarded-attempt.ts";
import { withTables } from "../tables.ts";
import { findStep, parseCode, stepAt } from "./codes.ts";
import { isReadable, openSecret, renewSeal, type SealedSecret } from "./secrets.ts";

/** A device, and the step of which the code is. */
interface Match extends SealedSecret {
  readonly step: number;
}

export interface CodeAttempt {
  readonly code: string;
  readonly source: FactorSource;
}

export function createTotpVerification(services: FactorServices) {
  return (accountId: string, { code, source }: CodeAttempt): Promise<FactorOutcome> =>
    guardAttempt(services, {
      accountId,
      source,
      factor: "totp",
      async judge() {
        const matches = await findMatches(services, accountId, code);
        return matches.length === 0 ? { fault: "wrong_code" } : useUp(services, { accountId, source, matches });
      },
    });
}

/** All devices are looked at, also after one that matches. */
async function findMatches(
  { db, clock, sealer }: FactorServices,
  accountId: string,
  typed: string,
): Promise<readonly Match[]> {
  const [code, now] = [parseCode(typed), stepAt(clock)];
  const secrets = await listSecrets(db, accountId);
  const readable = secrets.filter((secret) => isReadable(sealer, secret));
  // One that nothing opens any more keeps nobody from using another; where there is no other, the operator has to know.
  return (readable.length === 0 ? secrets : readable).flatMap((secret) => {
    const step = findStep(openSecret(sealer, secret), code, now);
    return step === undefined ? [] : [{ ...secret, step }];
  });
}

/** In the order of their ids, in which their rows will be locked. */
async function listSecrets(db: Db, accountId: string): Promise<readonly SealedSecret[]> {
  const query = withTables(db).selectFrom("totp_devices").select(["id", "secret"]).where("account_id", "=", accountId);
  return (await query.orderBy("id").execute()).map(({ id, secret }) => ({ deviceId: id, sealed: secret }));
}

/**
 * Accepts the code where it was not used before. Where two devices happen to have the same code it is used up for both:
 * it works once, not once a device.
 */
async function useUp(
  { db, clock, audit, sealer, attempts }: FactorServices,
  use: { readonly accountId: string; readonly source: FactorSource; readonly matches: readonly Match[] },
): Promise<Judgement<object>> {
  const { accountId, source, matches } = use;
  return db.transaction().execute(async (tx) => {
    let moved = 0n;
    for (const match of matches) {
      const { numUpdatedRows } = await withTables(tx)
        .updateTable("totp_devices")
        .set({ last_step: match.step, last_used_at: new Date(clock.nowMs()), secret: renewSeal(sealer, match) })
        .where("id", "=", match.deviceId)
        .where("account_id", "=", accountId)
        // One statement compares and moves on: of any number of parallel uses one finds the step still open.
        .where("last_step", "<", match.step)
        .executeTakeFirst();
      moved += numUpdatedRows;
    }
    if (moved === 0n) return { fault: "replayed_code" };
    await attempts.forgive(tx, accountId, source);
    await audit.append(tx, { type: "factor_verified", accountId, data: { factor: "totp" }, ...originOf(source) });
    return { accepted: {} };
  });
}
