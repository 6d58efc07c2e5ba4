import { createPublicKey, type KeyObject } from "node:crypto";
import type { JWK } from "jose";
import { sql } from "kysely";
import type { SignatureAlgorithm } from "../../clients/index.ts";
import type { Db } from "../../storage/index.ts";
import type { KeyState, ScheduledKey } from "./key-schedule.ts";

export type KeyTables = {
  oidc_signing_keys: {
    kid: string;
    algorithm: SignatureAlgorithm;
    state: KeyState;
    /** A `jsonb` comes as an object with one driver and as text with the other. */
    public_jwk: JWK | string;
    /** Absent once the key is retired, and where the key lies elsewhere. */
    sealed_private_jwk: Buffer | null;
    external_reference: string | null;
    created_at: Date;
    activated_at: Date | null;
    retired_at: Date | null;
  };
};

/** What a node needs of a key, beside when it does what. */
export interface KeyMaterial {
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly sealedPrivateJwk: Buffer | undefined;
  readonly externalReference: string | undefined;
}

/** Tells nodes that keys have changed. How is in the table alone. */
export const KEYS_CHANNEL = "latchkey_signing_keys";

export async function readSchedule(db: Db): Promise<readonly ScheduledKey[]> {
  const rows = await db
    .withTables<KeyTables>()
    .selectFrom("oidc_signing_keys")
    .select(["kid", "algorithm", "state", "created_at", "activated_at", "retired_at"])
    .orderBy("created_at")
    .orderBy("kid")
    .execute();
  return rows.map((row) => ({
    kid: row.kid,
    algorithm: row.algorithm,
    state: row.state,
    createdAtMs: row.created_at.getTime(),
    activatedAtMs: row.activated_at?.getTime(),
    retiredAtMs: row.retired_at?.getTime(),
  }));
}

export async function readMaterial(db: Db, kids: readonly string[]): Promise<readonly KeyMaterial[]> {
  const rows = await db
    .withTables<KeyTables>()
    .selectFrom("oidc_signing_keys")
    .select(["kid", "public_jwk", "sealed_private_jwk", "external_reference"])
    .where("kid", "in", kids)
    .execute();
  return rows.map((row) => ({
    kid: row.kid,
    publicKey: importPublicKey(row.public_jwk),
    sealedPrivateJwk: row.sealed_private_jwk ?? undefined,
    externalReference: row.external_reference ?? undefined,
  }));
}

export function importPublicKey(stored: JWK | string): KeyObject {
  const jwk = typeof stored === "string" ? (JSON.parse(stored) as JWK) : stored;
  return createPublicKey({ key: { ...jwk }, format: "jwk" });
}

/** Whoever changes keys holds it until the commit, and reads what there is under it. */
const CHANGE_LOCK = 7_246_101;

export async function lockKeys(tx: Db): Promise<void> {
  await sql`select pg_advisory_xact_lock(${CHANGE_LOCK})`.execute(tx);
}

export async function notifyNodes(tx: Db): Promise<void> {
  await sql`select pg_notify(${KEYS_CHANNEL}, '')`.execute(tx);
}
