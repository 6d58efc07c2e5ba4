import { type Db, guardStore } from "../../storage/index.ts";
import type { KeySeals } from "../../core/index.ts";
import type { KeyTables } from "./key-table.ts";

/**
 * Seals keys anew that were sealed under other secrets than ours: so that every secret of the list opens them, and none
 * that was taken off it. Each only if it is still as it was read: another node may be at it.
 *
 * @throws AppError STORE_UNAVAILABLE
 */
export async function resealKeys(given: Db, seals: KeySeals): Promise<void> {
  const db = given.withTables<KeyTables>();
  const rows = await guardStore(() =>
    db
      .selectFrom("oidc_signing_keys")
      .select(["kid", "sealed_private_jwk"])
      .where("sealed_private_jwk", "is not", null)
      .execute(),
  );
  for (const { kid, sealed_private_jwk: sealed } of rows) {
    const opened = sealed !== null && seals.isStale(sealed) ? seals.open(kid, sealed) : undefined;
    if (opened === undefined) continue;
    await guardStore(() =>
      db
        .updateTable("oidc_signing_keys")
        .set({ sealed_private_jwk: seals.seal(kid, opened) })
        .where("kid", "=", kid)
        .where("sealed_private_jwk", "=", sealed)
        .execute(),
    );
  }
}
