import { createPublicKey } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import type { SignatureAlgorithm } from "../../clients/index.ts";
import type { KeySeals } from "../../core/index.ts";
import { type ExternalKeys, withDeadline } from "./external-keys.ts";
import { makeRsaKey } from "./make-rsa-key.ts";

/** Making one takes a KMS some seconds; nobody waits for it but the schedule. */
const EXTERNAL_CREATION_MS_MAX = 30_000;

/** A key as it will lie in the table. */
export interface MadeKey {
  readonly kid: string;
  readonly algorithm: SignatureAlgorithm;
  readonly publicJwk: JWK;
  readonly sealedPrivateJwk: Buffer | undefined;
  readonly externalReference: string | undefined;
}

export interface KeyMakerDeps {
  readonly seals: KeySeals;
  readonly externalKeys: ExternalKeys | undefined;
}

const RSA: ReadonlySet<SignatureAlgorithm> = new Set(["RS256", "PS256"]);

/** Makes a key, elsewhere if the deployment has such a place. It takes a while, and is to be done outside of transactions. */
export async function makeKey(deps: KeyMakerDeps, algorithm: SignatureAlgorithm): Promise<MadeKey> {
  return deps.externalKeys === undefined ? makeHere(deps, algorithm) : makeElsewhere(deps.externalKeys, algorithm);
}

async function makeHere({ seals }: KeyMakerDeps, algorithm: SignatureAlgorithm): Promise<MadeKey> {
  const privateMembers = RSA.has(algorithm) ? await makeRsaKey() : await makeCurveKey(algorithm);
  const publicJwk = await toPublicJwk(
    algorithm,
    createPublicKey({ key: privateMembers, format: "jwk" }).export({ format: "jwk" }),
  );
  const { kid } = publicJwk;
  const privateJwk: JWK = { ...privateMembers, ...publicJwk };
  const sealedPrivateJwk = seals.seal(kid, Buffer.from(JSON.stringify(privateJwk)));
  return { kid, algorithm, publicJwk, sealedPrivateJwk, externalReference: undefined };
}

async function makeCurveKey(algorithm: SignatureAlgorithm): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return exportJWK(privateKey);
}

async function makeElsewhere(externalKeys: ExternalKeys, algorithm: SignatureAlgorithm): Promise<MadeKey> {
  const { reference, publicKey } = await withDeadline(externalKeys.create(algorithm), EXTERNAL_CREATION_MS_MAX);
  const publicJwk = await toPublicJwk(algorithm, await exportJWK(publicKey));
  return { kid: publicJwk.kid, algorithm, publicJwk, sealedPrivateJwk: undefined, externalReference: reference };
}

/** A key's id is its thumbprint (RFC 7638), so that no two keys ever share one. */
async function toPublicJwk(algorithm: SignatureAlgorithm, jwk: JWK): Promise<JWK & { readonly kid: string }> {
  const publicJwk: JWK = { ...jwk, use: "sig", alg: algorithm };
  return { ...publicJwk, kid: await calculateJwkThumbprint(publicJwk) };
}
