import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, type JWK, jwtVerify } from "jose";
import { VerifierError } from "./errors.ts";
import type { UsedProofs } from "./options.ts";
import type { Platform } from "./platform.ts";
import type { ProofOfPossession } from "./requirements.ts";

/** A proof holds a public key and a few claims: RSA keys make the largest. */
const PROOF_CHARACTERS_MAX = 4_096;
const PROOF_ID_CHARACTERS_MAX = 256;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
export interface ProofChecks {
  readonly platform: Platform;
  readonly algorithms: readonly string[];
  readonly ageSecondsMax: number;
  readonly toleranceSeconds: number;
  readonly usedProofs: UsedProofs;
}

/**
 * Checks that who sent the token holds the key that it is bound to (RFC 9449, section 4.3). Once only.
 *
 * @throws VerifierError `dpop_proof_invalid`, `dpop_proof_replayed`, `proofs_exhausted`
 */
export async function checkProof(
  given: ProofOfPossession,
  bound: { readonly token: string; readonly thumbprint: string },
  checks: ProofChecks,
): Promise<void> {
  const claims = await verifyProof(given.proof, bound.thumbprint, checks);
  const nowSeconds = Math.floor(checks.platform.nowMs() / 1_000);
  const { jti, htm, htu, iat, ath } = claims;
  if (typeof jti !== "string" || jti === "" || jti.length > PROOF_ID_CHARACTERS_MAX) throw invalid("jti");
  if (htm !== given.method) throw invalid("htm");
  if (typeof htu !== "string" || !isSameAddress(htu, given.url)) throw invalid("htu");
  if (ath !== (await sha256(bound.token))) throw invalid("ath");
  checkAge(iat, nowSeconds, checks);
  // Nobody but the holder of the key can use up its names. From `expiresAt` on the age would refuse the proof.
  const expiresAt = nowSeconds + checks.ageSecondsMax + 2 * checks.toleranceSeconds + 1;
  const isFirst = await consume(checks.usedProofs, `${bound.thumbprint} ${jti}`, expiresAt);
  if (!isFirst) throw new VerifierError("dpop_proof_replayed");
}

async function verifyProof(
  proof: string,
  thumbprint: string,
  checks: ProofChecks,
): Promise<Readonly<Record<string, unknown>>> {
  if (proof.length > PROOF_CHARACTERS_MAX || !JWT.test(proof)) throw invalid("form");
  try {
    await checkProofKey(decodeProtectedHeader(proof).jwk, thumbprint);
    // EmbeddedJWK takes public keys only: a proof that shows a private one has given it away.
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: [...checks.algorithms],
      typ: "dpop+jwt",
      clockTolerance: checks.toleranceSeconds,
      currentDate: new Date(checks.platform.nowMs()),
    });
    if (protectedHeader.crit !== undefined) throw invalid("crit");
    return payload;
  } catch (error) {
    throw error instanceof VerifierError ? error : new VerifierError("dpop_proof_invalid", { cause: error });
  }
}

/** Before anything is computed with it: only the bound key, which the issuer let in, is worth a computation. */
async function checkProofKey(jwk: JWK | undefined, thumbprint: string): Promise<void> {
  if (typeof jwk !== "object" || jwk === null) throw invalid("jwk");
  if ((await calculateJwkThumbprint(jwk, "sha256")) !== thumbprint) throw invalid("jkt");
}

function checkAge(iat: unknown, nowSeconds: number, checks: ProofChecks): void {
  if (typeof iat !== "number") throw invalid("iat");
  const ageSeconds = nowSeconds - iat;
  const isRecent =
    ageSeconds <= checks.ageSecondsMax + checks.toleranceSeconds && ageSeconds >= -checks.toleranceSeconds;
  if (!isRecent) throw invalid("iat");
}

/** Compared as `URL` normalizes them, without query and fragment (RFC 9449, section 4.3, with RFC 3986, section 6.2). */
function isSameAddress(claimed: string, actual: string): boolean {
  return URL.canParse(claimed) && bare(claimed) === bare(actual);
}

function bare(address: string): string {
  const { origin, pathname } = new URL(address);
  return origin + pathname;
}

async function sha256(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return btoa(String.fromCharCode(...digest))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

async function consume(usedProofs: UsedProofs, key: string, expiresAt: number): Promise<boolean> {
  try {
    return await usedProofs.consume(key, expiresAt);
  } catch (error) {
    // A shared memory that is away cannot say whether this is the first time.
    throw error instanceof VerifierError ? error : new VerifierError("proofs_exhausted", { cause: error });
  }
}

function invalid(detail: string): VerifierError {
  return new VerifierError("dpop_proof_invalid", { detail });
}
