import { exportJWK, generateKeyPair, type JWK, calculateJwkThumbprint } from "jose";
import { sql } from "kysely";
import type { ExternalSigningKey } from "oidc-provider";
import { AppError, type Clock, type Sealer } from "../../core/index.ts";
import type { Audit } from "../../audit/index.ts";
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from "../../clients/index.ts";
import { type Db, guardStore } from "../../storage/index.ts";
import { Es256SigningKey } from "./es256-signing-key.ts";
import { RsaSigningKey } from "./rsa-signing-key.ts";

type KeyState = "next" | "current" | "retired";

type KeyTables = {
  oidc_signing_keys: {
    kid: string;
    algorithm: string;
    state: KeyState;
    public_jwk: JWK | string;
    sealed_private_jwk: Buffer;
    created_at: Date;
    activated_at: Date | null;
    retired_at: Date | null;
  };
};

/** The first node to start creates the keys of a deployment; the others wait for it. */
const CREATION_LOCK = 7_246_101;
const RSA_BITS = 2_048;

/** A key as the library takes it: private, with what it may do. */
export interface SigningKey {
  readonly algorithm: SignatureAlgorithm;
  readonly state: KeyState;
  /** A private JWK (RFC 7517), or what signs with it. One that must not sign carries `key_ops: ["verify"]`. */
  readonly key: JWK | ExternalSigningKey;
}

export interface SigningKeys {
  /** Reads all keys, after creating a current one for every algorithm that has none. */
  load(): Promise<readonly SigningKey[]>;
}

export interface SigningKeysDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly audit: Audit;
}

/**
 * The keys that sign our tokens: in Postgres, the private part sealed. A key is *next* (published, not signing),
 * *current* (signing; one an algorithm) or *retired* (published, not signing).
 */
export function createSigningKeys(deps: SigningKeysDeps): SigningKeys {
  const db = deps.db.withTables<KeyTables>();

  return {
    load: () =>
      guardStore(async () => {
        await createMissingKeys(deps);
        const rows = await db.selectFrom("oidc_signing_keys").selectAll().orderBy("created_at", "desc").execute();
        const keys = rows.map((row) => ({ row, jwk: openKey(deps.sealer, row.kid, row.sealed_private_jwk) }));
        for (const { row, jwk } of keys) {
          if (!deps.sealer.isStale(row.sealed_private_jwk)) continue;
          // Sealed by an older secret of the list: sealed anew, so that the old secret can be given up.
          const sealed = sealKey(deps.sealer, row.kid, jwk);
          await db
            .updateTable("oidc_signing_keys")
            .set({ sealed_private_jwk: sealed })
            .where("kid", "=", row.kid)
            .execute();
        }
        return keys.map(({ row, jwk }) => toSigningKey(row.algorithm as SignatureAlgorithm, row.state, jwk));
      }),
  };
}

async function createMissingKeys(deps: SigningKeysDeps): Promise<void> {
  await deps.db.transaction().execute(async (tx) => {
    const tables = tx.withTables<KeyTables>();
    await sql`select pg_advisory_xact_lock(${CREATION_LOCK})`.execute(tx);
    const current = await tables
      .selectFrom("oidc_signing_keys")
      .select("algorithm")
      .where("state", "=", "current")
      .execute();
    const present = new Set(current.map(({ algorithm }) => algorithm));
    const missing = SIGNATURE_ALGORITHMS.filter((algorithm) => !present.has(algorithm));
    const created = await Promise.all(missing.map(generateKey));
    const at = new Date(deps.clock.nowMs());
    for (const { algorithm, kid, privateJwk, publicJwk } of created) {
      await tables
        .insertInto("oidc_signing_keys")
        .values({
          kid,
          algorithm,
          state: "current",
          public_jwk: JSON.stringify(publicJwk),
          sealed_private_jwk: sealKey(deps.sealer, kid, privateJwk),
          created_at: at,
          activated_at: at,
          retired_at: null,
        })
        .execute();
      await deps.audit.append(tx, { type: "signing_key.created", data: { kid, algorithm } });
    }
  });
}

async function generateKey(algorithm: SignatureAlgorithm) {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true, modulusLength: RSA_BITS });
  const members = { use: "sig", alg: algorithm };
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), ...members };
  const kid = await calculateJwkThumbprint(publicJwk);
  const privateJwk: JWK = { ...(await exportJWK(privateKey)), ...members, kid };
  return { algorithm, kid, publicJwk: { ...publicJwk, kid }, privateJwk };
}

function sealKey(sealer: Sealer, kid: string, jwk: JWK): Buffer {
  return sealer.seal("signing-key", Buffer.from(JSON.stringify(jwk)), kid);
}

function openKey(sealer: Sealer, kid: string, sealed: Buffer): JWK {
  const opened = sealer.open("signing-key", sealed, kid);
  if (opened === undefined) {
    throw new AppError("SECRET_UNKNOWN", {
      detail: "no secret in LATCHKEY_SECRET opens the signing keys; put back the one that this database was used with",
    });
  }
  return JSON.parse(opened.toString("utf8")) as JWK;
}

function toSigningKey(algorithm: SignatureAlgorithm, state: KeyState, jwk: JWK): SigningKey {
  if (state !== "current") return { algorithm, state, key: { ...jwk, key_ops: ["verify"] } };
  return { algorithm, state, key: signerOf(algorithm, jwk) };
}

/** EdDSA is left to the library: it is rare, and as dear on this thread as on the way to another. */
function signerOf(algorithm: SignatureAlgorithm, jwk: JWK): JWK | ExternalSigningKey {
  if (algorithm === "ES256") return new Es256SigningKey(jwk);
  return algorithm === "EdDSA" ? jwk : new RsaSigningKey(algorithm, jwk);
}
