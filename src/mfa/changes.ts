import { discardProofs } from "../accounts/index.ts";
import { AppError } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import { type FactorKind, type FactorServices, originOf } from "./dependencies.ts";
import { parseFactorName } from "./factor-name.ts";
import type { Factors } from "./factors.ts";
import { deleteSet } from "./recovery-codes/sets.ts";
import { countFactors, holdFactors, withTables } from "./tables.ts";

/** The kinds that have an id and a name, and where they lie. */
const NAMED_KINDS = [
  { factor: "totp", table: "totp_devices" },
  { factor: "passkey", table: "passkeys" },
] as const satisfies readonly { factor: FactorKind; table: string }[];

/** What a person, or an operator for them, does to factors that are there. */
export function createFactorChanges(
  services: FactorServices,
): Pick<Factors, "rename" | "remove" | "removeSince" | "reset"> {
  const { db, clock, audit, knownDevices } = services;
  return {
    async rename(accountId, factorId, typedName) {
      const name = parseFactorName(typedName);
      await db.transaction().execute(async (tx) => {
        const factor = await renameOne(tx, { accountId, factorId, name });
        await audit.append(tx, { type: "factor_renamed", accountId, data: { factor } });
      });
    },
    async remove(accountId, factorId, source) {
      await db.transaction().execute(async (tx) => {
        await holdFactors(tx, accountId);
        const factor = await removeOne(tx, accountId, factorId);
        const { totpDevices, passkeys } = await countFactors(tx, accountId);
        if (totpDevices + passkeys === 0) await deleteSet(tx, accountId);
        await audit.append(tx, { type: "factor_removed", accountId, data: { factor }, ...originOf(source) });
        await knownDevices.distrust(accountId, tx);
        // What was proved by it just now, in a sign-in that is not over yet, is proved no more.
        await discardProofs(tx, accountId, new Date(clock.nowMs()));
      });
    },
    removeSince: (accountId, since, source) =>
      db.transaction().execute(async (tx) => {
        await holdFactors(tx, accountId);
        const removed = await removeAddedSince(tx, accountId, since);
        const { totpDevices, passkeys } = await countFactors(tx, accountId);
        if (totpDevices + passkeys === 0) await deleteSet(tx, accountId);
        for (const factor of removed) {
          await audit.append(tx, { type: "factor_removed", accountId, data: { factor }, ...originOf(source) });
        }
      }),
    reset: (accountId) => db.transaction().execute((tx) => resetAll(services, tx, accountId)),
  };
}

async function renameOne(
  tx: Db,
  { accountId, factorId, name }: { readonly accountId: string; readonly factorId: string; readonly name: string },
): Promise<FactorKind> {
  for (const { factor, table } of NAMED_KINDS) {
    const { numUpdatedRows } = await withTables(tx)
      .updateTable(table)
      .set({ name })
      .where("id", "=", factorId)
      .where("account_id", "=", accountId)
      .executeTakeFirst();
    if (numUpdatedRows > 0n) return factor;
  }
  throw new AppError("FACTOR_NOT_FOUND");
}

async function removeOne(tx: Db, accountId: string, factorId: string): Promise<FactorKind> {
  for (const { factor, table } of NAMED_KINDS) {
    const { numDeletedRows } = await withTables(tx)
      .deleteFrom(table)
      .where("id", "=", factorId)
      .where("account_id", "=", accountId)
      .executeTakeFirst();
    if (numDeletedRows > 0n) return factor;
  }
  throw new AppError("FACTOR_NOT_FOUND");
}

/** Recovery codes from before somebody else made them anew are lost: they can be made once more by who has a factor. */
async function removeAddedSince(tx: Db, accountId: string, since: Date): Promise<readonly FactorKind[]> {
  const removed: FactorKind[] = [];
  for (const { factor, table } of NAMED_KINDS) {
    const rows = await withTables(tx)
      .deleteFrom(table)
      .where("account_id", "=", accountId)
      .where("created_at", ">=", since)
      .returning("id")
      .execute();
    removed.push(...rows.map(() => factor));
  }
  await withTables(tx).deleteFrom("totp_enrollments").where("account_id", "=", accountId).execute();
  await withTables(tx)
    .deleteFrom("recovery_code_sets")
    .where("account_id", "=", accountId)
    .where("created_at", ">=", since)
    .execute();
  return removed;
}

/** The pause goes as well: it was for what is there no more, and the person is to begin anew. */
async function resetAll(
  { audit, clock, attempts, knownDevices }: FactorServices,
  tx: Db,
  accountId: string,
): Promise<boolean> {
  await holdFactors(tx, accountId);
  let count = 0n;
  for (const table of ["totp_devices", "passkeys", "totp_enrollments"] as const) {
    const { numDeletedRows } = await withTables(tx)
      .deleteFrom(table)
      .where("account_id", "=", accountId)
      .executeTakeFirst();
    count += table === "totp_enrollments" ? 0n : numDeletedRows;
  }
  await deleteSet(tx, accountId);
  await attempts.forgiveAll(tx, accountId);
  await knownDevices.distrust(accountId, tx);
  await discardProofs(tx, accountId, new Date(clock.nowMs()));
  if (count > 0n) await audit.append(tx, { type: "factors_reset", accountId });
  return count > 0n;
}
