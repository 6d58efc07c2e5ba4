import type { Audit } from "../../audit/index.ts";
import type { Revocations } from "../../sessions/index.ts";
import { type Db, guardStore } from "../../storage/index.ts";

export interface KeyWithdrawalDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly revocations: Pick<Revocations, "append">;
}

/**
 * Gives a key up for lost: whoever has it can make tokens. It is forgotten, so that it is not published again, and every
 * service is told to refuse what it signed. Resolved with `false`, and nothing done, when there is no such key.
 *
 * A node that runs has the key loaded and signs with it until it starts anew; what it signs is refused.
 *
 * @throws AppError STORE_UNAVAILABLE
 */
export async function withdrawKey(deps: KeyWithdrawalDeps, kid: string): Promise<boolean> {
  return guardStore(() =>
    deps.db.transaction().execute(async (tx) => {
      const removed = await tx
        .withTables<{ oidc_signing_keys: { kid: string; algorithm: string } }>()
        .deleteFrom("oidc_signing_keys")
        .where("kid", "=", kid)
        .returning("algorithm")
        .executeTakeFirst();
      if (removed === undefined) return false;
      await deps.audit.append(tx, { type: "signing_key.withdrawn", data: { kid, algorithm: removed.algorithm } });
      await deps.revocations.append(tx, [{ kind: "key", keyId: kid }]);
      return true;
    }),
  );
}
