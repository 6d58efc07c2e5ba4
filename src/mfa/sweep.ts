import type { Clock } from "../core/index.ts";
import { type Db, DELETE_BATCH, deleteInBatches } from "../storage/index.ts";
import { withTables } from "./tables.ts";

/** Deletes what has expired, and the codes that nobody wrote down in time; returns how many rows. */
export async function sweepFactors({ db, clock }: { readonly db: Db; readonly clock: Clock }): Promise<number> {
  const now = new Date(clock.nowMs());
  const counts = [
    await deleteInBatches(() => deleteEnrollments(db, now)),
    await deleteInBatches(() => deleteChallenges(db, now)),
    await deleteInBatches(() => deleteBudgets(db, now)),
    await deleteInBatches(() => hideCodes(db, now)),
  ];
  return counts.reduce((sum, count) => sum + count, 0);
}

// Each looks at the end once more where it deletes: a row that was found may have begun anew meanwhile.

async function deleteEnrollments(db: Db, now: Date): Promise<bigint> {
  const tables = withTables(db);
  const some = tables.selectFrom("totp_enrollments").select("device_id").where("expires_at", "<=", now);
  const query = tables.deleteFrom("totp_enrollments").where("device_id", "in", some.limit(DELETE_BATCH));
  return (await query.where("expires_at", "<=", now).executeTakeFirst()).numDeletedRows;
}

async function deleteChallenges(db: Db, now: Date): Promise<bigint> {
  const tables = withTables(db);
  const some = tables.selectFrom("answered_challenges").select("digest").where("expires_at", "<=", now);
  const query = tables.deleteFrom("answered_challenges").where("digest", "in", some.limit(DELETE_BATCH));
  return (await query.executeTakeFirst()).numDeletedRows;
}

async function deleteBudgets(db: Db, now: Date): Promise<bigint> {
  const tables = withTables(db);
  const some = tables.selectFrom("factor_throttle").select(["subject", "device"]).where("ends_at", "<=", now);
  const query = tables
    .deleteFrom("factor_throttle")
    .where(
      (builder) => builder.refTuple("subject", "device"),
      "in",
      some.limit(DELETE_BATCH).$asTuple("subject", "device"),
    );
  return (await query.where("ends_at", "<=", now).executeTakeFirst()).numDeletedRows;
}

async function hideCodes(db: Db, now: Date): Promise<bigint> {
  const tables = withTables(db);
  const some = tables
    .selectFrom("recovery_code_sets")
    .select("account_id")
    .where("shown", "is not", null)
    .where("shown_until", "<=", now);
  const query = tables
    .updateTable("recovery_code_sets")
    .set({ shown: null, shown_until: null })
    .where("account_id", "in", some.limit(DELETE_BATCH));
  return (await query.where("shown_until", "<=", now).executeTakeFirst()).numUpdatedRows;
}
