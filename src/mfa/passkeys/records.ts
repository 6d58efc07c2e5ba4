import type { Db } from "../../storage/index.ts";
import { withTables } from "../tables.ts";
import type { NewPasskeyFacts, UsedPasskeyFacts } from "./webauthn.ts";

export interface StoredPasskey {
  readonly id: string;
  readonly accountId: string;
  readonly publicKey: Uint8Array;
  readonly isSynced: boolean;
}

export async function findPasskey(db: Db, id: string): Promise<StoredPasskey | undefined> {
  const row = await withTables(db)
    .selectFrom("passkeys")
    .select(["id", "account_id", "public_key", "is_synced"])
    .where("id", "=", id)
    .executeTakeFirst();
  return row && { id: row.id, accountId: row.account_id, publicKey: row.public_key, isSynced: row.is_synced };
}

/** An account's passkeys as browsers want them named. */
export async function listDescriptors(
  db: Db,
  accountId: string,
): Promise<{ readonly id: string; readonly transports: string[] }[]> {
  const query = withTables(db).selectFrom("passkeys").select(["id", "transports"]).where("account_id", "=", accountId);
  return query.orderBy("created_at").orderBy("id").execute();
}

export interface NewPasskey {
  readonly accountId: string;
  readonly name: string;
  readonly facts: NewPasskeyFacts;
  readonly createdAt: Date;
}

/** `false` when there is one with this id already, of this account or another: it stays whose it is. */
export async function insertPasskey(tx: Db, { facts, ...passkey }: NewPasskey): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await withTables(tx)
    .insertInto("passkeys")
    .values({
      id: facts.id,
      account_id: passkey.accountId,
      name: passkey.name,
      public_key: Buffer.from(facts.publicKey),
      counter: facts.counter,
      transports: [...facts.transports],
      aaguid: facts.aaguid,
      is_synced: facts.isSynced,
      is_backed_up: facts.isBackedUp,
      created_at: passkey.createdAt,
      last_used_at: null,
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/**
 * Notes a use. `false` when its counter is not beyond the newest one, unless the passkey does not count at all: then
 * somebody else has used a copy (WebAuthn Level 3, section 6.1.1).
 */
export async function moveCounter(
  tx: Db,
  { id, accountId }: StoredPasskey,
  { counter, isBackedUp, usedAt }: UsedPasskeyFacts & { readonly usedAt: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await withTables(tx)
    .updateTable("passkeys")
    .set({ counter, is_backed_up: isBackedUp, last_used_at: usedAt })
    .where("id", "=", id)
    .where("account_id", "=", accountId)
    .where("counter", counter === 0 ? "=" : "<", counter)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}
