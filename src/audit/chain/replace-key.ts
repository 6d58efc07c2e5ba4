import { sql } from "kysely";
import { AppError } from "../../core/index.ts";
import type { Audit } from "../audit.ts";
import { listKeyIds, listTrustedKeys, makeChainKey } from "./chain-key.ts";
import { lockChain } from "./chain-lock.ts";
import { insertStatement, readUnproved, signHead, signStatement } from "./checkpoints.ts";
import { readHead, type SealDeps } from "./seal-pass.ts";

export interface ReplacedKey {
  /** Of the new one. */
  readonly keyId: string;
  /** How far the chain had come: up to here it is signed as it was found. */
  readonly position: string;
}

/**
 * For when the secrets are lost that open the key. Another one signs where the chain begins and how far it has come, both
 * as they are found, and all that follows. What the lost key had signed in here proves nothing to us any more, and goes;
 * a checkpoint that was exported proves what it did, and the chain is compared with it as before.
 *
 * While any key opens it is refused: a newer one that none of our secrets opens is what somebody puts there who wants a
 * rewritten chain signed.
 *
 * @throws AppError AUDIT_KEY_PRESENT while a secret of ours opens a key, or where there is none.
 */
export async function replaceChainKey(
  deps: SealDeps & { readonly audit: Pick<Audit, "append"> },
): Promise<ReplacedKey> {
  return deps.db.transaction().execute(async (tx) => {
    await lockChain(tx);
    const isLost = (await listKeyIds(tx)).size > 0 && (await listTrustedKeys(tx, deps.seals)).size === 0;
    if (!isLost) throw new AppError("AUDIT_KEY_PRESENT");
    const key = await makeChainKey(tx, deps);
    const signedAt = new Date(deps.clock.nowMs());
    const anchor = await readUnproved(tx, "anchor");
    await sql`delete from audit_checkpoints`.execute(tx);
    if (anchor !== undefined) {
      const about = { ...anchor, signedAt: signedAt.toISOString() };
      await insertStatement(tx, signStatement(key, about), about);
    }
    const { position, hash, sealedAt } = await readHead(tx);
    if (sealedAt !== null) await signHead(tx, key, { issuer: deps.issuer, position, hash, sealedAt, signedAt });
    const replaced = { keyId: key.id, position: String(position) };
    await deps.audit.append(tx, { type: "audit_key_replaced", data: { ...replaced } });
    return replaced;
  });
}
