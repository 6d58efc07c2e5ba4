import { AppError } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import { type FactorServices, originOf } from "../dependencies.ts";
import type { FactorSource, RecoveryCodes } from "../factors.ts";
import { guardAttempt, type Judgement } from "../guarded-attempt.ts";
import { countFactors, holdFactors, withTables } from "../tables.ts";
import { CODES_COUNT, isCodeOf, parseRecoveryCode } from "./codes.ts";
import { hideShown, makeSet, readShown } from "./sets.ts";

interface StoredCode {
  readonly position: number;
  readonly digest: string;
  readonly isUsed: boolean;
}

/** Compared where a code is missing, so that an account without codes takes as long as one that has them. */
const STAND_IN: StoredCode = { position: -1, digest: "A".repeat(43), isUsed: true };

export function createRecoveryCodes(services: FactorServices): RecoveryCodes {
  const { db } = services;
  return {
    async replace(accountId, source) {
      await db.transaction().execute(async (tx) => {
        await holdFactors(tx, accountId);
        const { totpDevices, passkeys } = await countFactors(tx, accountId);
        // Alone they would be a second factor that the person does not have.
        if (totpDevices + passkeys === 0) throw new AppError("FACTOR_NOT_FOUND");
        await makeSet(services, tx, { accountId, source });
      });
    },
    reveal: (accountId) => readShown(services, accountId),
    confirmSaved: (accountId) => hideShown(db, accountId),
    verify: (accountId, { code, source }) =>
      guardAttempt(services, {
        accountId,
        source,
        factor: "recovery_code",
        async judge() {
          const found = await findCode(services, accountId, code);
          if (found === undefined) return { fault: "wrong_code" };
          return found.isUsed ? { fault: "replayed_code" } : useUp(services, found, { accountId, source });
        },
      }),
  };
}

/** Compares with every code of the set, used ones included, and with as many as a set has. */
async function findCode(
  { db, authenticator }: FactorServices,
  accountId: string,
  typed: string,
): Promise<StoredCode | undefined> {
  const code = parseRecoveryCode(typed);
  const stored = await listCodes(db, accountId);
  let found: StoredCode | undefined;
  for (let at = 0; at < Math.max(CODES_COUNT, stored.length); at += 1) {
    const compared = stored[at] ?? STAND_IN;
    if (isCodeOf(authenticator, { accountId, code }, compared.digest)) found = compared;
  }
  return found;
}

async function listCodes(db: Db, accountId: string): Promise<readonly StoredCode[]> {
  const rows = await withTables(db)
    .selectFrom("recovery_codes")
    .select(["position", "code_hash", "used_at"])
    .where("account_id", "=", accountId)
    .orderBy("position")
    .execute();
  return rows.map((row) => ({ position: row.position, digest: row.code_hash, isUsed: row.used_at !== null }));
}

async function useUp(
  { db, clock, audit, attempts }: FactorServices,
  { position, digest }: StoredCode,
  { accountId, source }: { readonly accountId: string; readonly source: FactorSource },
): Promise<Judgement<{ readonly left: number }>> {
  return db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await withTables(tx)
      .updateTable("recovery_codes")
      .set({ used_at: new Date(clock.nowMs()) })
      .where("account_id", "=", accountId)
      .where("position", "=", position)
      // The set may have been made anew meanwhile: another code stands in this place then.
      .where("code_hash", "=", digest)
      .where("used_at", "is", null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return { fault: "replayed_code" };
    const left = (await listCodes(tx, accountId)).filter(({ isUsed }) => !isUsed).length;
    const about = { accountId, ...originOf(source) };
    await attempts.forgive(tx, accountId, source);
    await audit.append(tx, { type: "factor_verified", data: { factor: "recovery_code" }, ...about });
    await audit.append(tx, { type: "recovery_code_used", data: { left }, ...about });
    return { accepted: { left } };
  });
}
