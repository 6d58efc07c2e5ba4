import { sql } from "kysely";
import { AppError } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import type { Audit } from "../audit.ts";
import { type ChainKey, isChainKeyLost, makeChainKey } from "./chain-key.ts";
import { lockChain } from "./chain-lock.ts";
import { insertStatement, readUnproved, signStatement, type Statement } from "./checkpoints.ts";
import type { SealDeps } from "./seal-pass.ts";

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
 * @throws AppError AUDIT_KEY_PRESENT while there is a key that a secret of ours opens, or none that was lost.
 */
export async function replaceChainKey(
  deps: SealDeps & { readonly audit: Pick<Audit, "append"> },
): Promise<ReplacedKey> {
  return deps.db.transaction().execute(async (tx) => {
    await lockChain(tx);
    if (!(await isChainKeyLost(tx, deps.seals))) throw new AppError("AUDIT_KEY_PRESENT");
    const key = await makeChainKey(tx, deps);
    const anchor = await readUnproved(tx, "anchor");
    const head = await readHead(tx);
    await sql`delete from audit_checkpoints`.execute(tx);
    if (anchor !== undefined) await signAgain(deps, tx, { key, found: anchor });
    if (head.position !== "0") await signAgain(deps, tx, { key, found: { kind: "checkpoint", ...head } });
    const replaced = { keyId: key.id, position: head.position };
    await deps.audit.append(tx, { type: "audit_key_replaced", data: { ...replaced } });
    return replaced;
  });
}

type Found = Pick<Statement, "kind" | "position" | "hash" | "sealedAt" | "eventsSince">;

async function signAgain(
  { clock, issuer }: SealDeps,
  tx: Db,
  { key, found }: { readonly key: ChainKey; readonly found: Found },
): Promise<void> {
  const { kind, position, hash, sealedAt, eventsSince } = found;
  const signedAt = new Date(clock.nowMs()).toISOString();
  const about = {
    kind,
    issuer,
    position,
    hash,
    sealedAt,
    signedAt,
    ...(eventsSince === undefined ? {} : { eventsSince }),
  };
  await insertStatement(tx, signStatement(key, about), about);
}

async function readHead(tx: Db): Promise<Pick<Statement, "position" | "hash" | "sealedAt">> {
  const { rows } = await sql<{ position: string; hash: string; sealed_at: Date | null }>`
    select position::text as position, encode(hash, 'hex') as hash, sealed_at from audit_chain`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new Error("the audit log has lost the head of its chain");
  return { position: row.position, hash: row.hash, sealedAt: (row.sealed_at ?? new Date(0)).toISOString() };
}
