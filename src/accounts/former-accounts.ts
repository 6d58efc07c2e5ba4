import { sql } from "kysely";
import { sha256 } from "../core/index.ts";
import type { Db } from "../storage/index.ts";

interface FormerAccountTable {
  id_sha256: Buffer;
}

const withTables = (db: Db) => db.$extendTables<{ former_accounts: FormerAccountTable }>();

/** An account's id is not to be anybody's again: apps know a person by it. */
export async function noteFormerId(tx: Db, id: string): Promise<void> {
  await withTables(tx)
    .insertInto("former_accounts")
    .values({ id_sha256: sha256(id) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Those of the ids that were of accounts which were deleted. */
export async function formerIdsAmong(db: Db, ids: readonly string[]): Promise<readonly string[]> {
  const rows = await withTables(db)
    .selectFrom("former_accounts")
    .select("id_sha256")
    .where("id_sha256", "=", sql<Buffer>`any(${ids.map((id) => sha256(id))})`)
    .execute();
  const found = new Set(rows.map((row) => Buffer.from(row.id_sha256).toString("hex")));
  return ids.filter((id) => found.has(sha256(id).toString("hex")));
}
