import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { sql } from "kysely";
import { AppError, type Clock, type KeySeals } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";

const KEY_ID_CHARACTERS = 22;

/** What signs checkpoints: one Ed25519 key for as long as the log is kept, so that those outside can hold on to it. */
export interface ChainKey {
  readonly id: string;
  readonly publicKey: KeyObject;
  readonly sign: (statement: string) => Buffer;
}

interface KeyRow {
  readonly id: string;
  readonly sealed: Uint8Array;
}

/** The id says which key it is, and cannot be given to another. */
export function keyIdOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("base64url").slice(0, KEY_ID_CHARACTERS);
}

export interface ChainKeyDeps {
  readonly clock: Clock;
  readonly seals: KeySeals;
}

/**
 * The newest key, which is made where there is none. Called under the lock of the chain.
 *
 * @throws AppError SECRET_UNKNOWN when it lies under another LATCHKEY_SECRET than ours.
 */
export async function obtainChainKey(tx: Db, { clock, seals }: ChainKeyDeps): Promise<ChainKey> {
  const { rows } = await sql<KeyRow>`
    select id, sealed_private_key as sealed from audit_keys order by created_at desc limit 1`.execute(tx);
  const [row] = rows;
  if (row === undefined) return makeChainKey(tx, { clock, seals });
  const key = openChainKey(seals, row);
  if (key === undefined) {
    throw new AppError("SECRET_UNKNOWN", { detail: "the key of the audit log lies under another LATCHKEY_SECRET" });
  }
  if (seals.isStale(row.sealed)) await resealChainKey(tx, seals, row);
  return key;
}

/** Of all keys that signed this chain, those included that were lost since. */
export async function listKeyIds(db: Db): Promise<ReadonlySet<string>> {
  const { rows } = await sql<Pick<KeyRow, "id">>`select id from audit_keys`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** The keys that our secrets open, by id. What another key signed, we cannot tell from what somebody made up. */
export async function listTrustedKeys(db: Db, seals: KeySeals): Promise<ReadonlyMap<string, ChainKey>> {
  const { rows } = await sql<KeyRow>`select id, sealed_private_key as sealed from audit_keys`.execute(db);
  const keys = rows.flatMap((row) => openChainKey(seals, row) ?? []);
  return new Map(keys.map((key) => [key.id, key]));
}

function openChainKey(seals: KeySeals, { id, sealed }: KeyRow): ChainKey | undefined {
  const opened = seals.open(id, sealed);
  if (opened === undefined) return undefined;
  return toChainKey(createPrivateKey({ key: opened, format: "der", type: "pkcs8" }));
}

function toChainKey(privateKey: KeyObject): ChainKey {
  const publicKey = createPublicKey(privateKey);
  const signText = (statement: string): Buffer => sign(null, Buffer.from(statement), privateKey);
  return { id: keyIdOf(publicKey), publicKey, sign: signText };
}

/** The newest from now on, also by a clock that was set back. */
export async function makeChainKey(tx: Db, { clock, seals }: ChainKeyDeps): Promise<ChainKey> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = toChainKey(privateKey);
  const sealed = seals.seal(key.id, privateKey.export({ type: "pkcs8", format: "der" }));
  const publicOctets = publicKey.export({ type: "spki", format: "der" });
  await sql`
    insert into audit_keys (id, public_key, sealed_private_key, created_at)
      select ${key.id}, ${publicOctets}, ${sealed},
          greatest(${new Date(clock.nowMs())}, max(created_at) + interval '1 millisecond') from audit_keys`.execute(tx);
  return key;
}

async function resealChainKey(tx: Db, seals: KeySeals, { id, sealed }: KeyRow): Promise<void> {
  const opened = seals.open(id, sealed);
  if (opened === undefined) return;
  await sql`update audit_keys set sealed_private_key = ${seals.seal(id, opened)} where id = ${id}`.execute(tx);
}
