import type { Db } from "../../storage/index.ts";
import { type FactorServices, originOf } from "../dependencies.ts";
import type { FactorSource } from "../factors.ts";
import { withTables } from "../tables.ts";
import { digestCode, makeCodes } from "./codes.ts";

const SHOWN_SECONDS = 30 * 60;
const PURPOSE = "factor-secret";

export interface SetOwner {
  readonly accountId: string;
  readonly source: FactorSource;
}

/** An account's first factor brings codes along; one that has them keeps them. */
export async function makeFirstSet(services: FactorServices, tx: Db, owner: SetOwner): Promise<void> {
  const existing = await withTables(tx)
    .selectFrom("recovery_code_sets")
    .select("account_id")
    .where("account_id", "=", owner.accountId)
    .executeTakeFirst();
  if (existing === undefined) await makeSet(services, tx, owner);
}

/** A set in the place of whatever was there. The transaction holds the account's factors. */
export async function makeSet(services: FactorServices, tx: Db, { accountId, source }: SetOwner): Promise<void> {
  const { clock, audit, sealer, authenticator } = services;
  const codes = makeCodes();
  const now = clock.nowMs();
  await deleteSet(tx, accountId);
  await withTables(tx)
    .insertInto("recovery_code_sets")
    .values({
      account_id: accountId,
      created_at: new Date(now),
      shown: sealer.seal(PURPOSE, Buffer.from(codes.join("\n")), contextOf(accountId)),
      shown_until: new Date(now + SHOWN_SECONDS * 1_000),
    })
    .execute();
  const rows = codes.map((code, position) => ({
    account_id: accountId,
    position,
    code_hash: digestCode(authenticator, accountId, code),
    used_at: null,
  }));
  await withTables(tx).insertInto("recovery_codes").values(rows).execute();
  await audit.append(tx, { type: "recovery_codes_made", accountId, ...originOf(source) });
}

/** Returns whether there was one. */
export async function deleteSet(tx: Db, accountId: string): Promise<boolean> {
  const { numDeletedRows } = await withTables(tx)
    .deleteFrom("recovery_code_sets")
    .where("account_id", "=", accountId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** The codes themselves, while they are to be seen. */
export async function readShown(
  { db, clock, sealer }: FactorServices,
  accountId: string,
): Promise<readonly string[] | undefined> {
  const row = await withTables(db)
    .selectFrom("recovery_code_sets")
    .select("shown")
    .where("account_id", "=", accountId)
    .where("shown_until", ">", new Date(clock.nowMs()))
    .executeTakeFirst();
  const codes = row?.shown && sealer.open(PURPOSE, row.shown, contextOf(accountId));
  return codes?.toString().split("\n");
}

/** Nobody sees them again. */
export async function hideShown(db: Db, accountId: string): Promise<void> {
  await withTables(db)
    .updateTable("recovery_code_sets")
    .set({ shown: null, shown_until: null })
    .where("account_id", "=", accountId)
    .execute();
}

/** The secrets of devices are sealed for the same purpose, with the device as context. */
function contextOf(accountId: string): string {
  return `recovery-codes:${accountId}`;
}
