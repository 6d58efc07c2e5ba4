import { checkProof, type ProofChecks } from "./dpop.ts";
import { VerifierError } from "./errors.ts";
import type { Introspection } from "./introspection.ts";
import type { Settings } from "./options.ts";
import type { Platform } from "./platform.ts";
import { checkRequirements, type ParsedRequirements } from "./requirements.ts";
import type { RevocationCheck } from "./revocation-check.ts";
import type { SignatureCache } from "./signature-cache.ts";
import { isJwt, type TokenSignatures } from "./token-signature.ts";
import { checkTimes, type VerifiedToken, type VouchedToken } from "./verified-token.ts";

/** No header that a client could send is longer; what is cannot be a token. */
const TOKEN_CHARACTERS_MAX = 16 * 1_024;
/** RFC 6750, section 2.1. */
const OPAQUE_TOKEN = /^[\w.~+/-]+=*$/;

/** What a token is checked with. */
export interface Checks {
  readonly platform: Platform;
  readonly settings: Settings;
  readonly signatures: TokenSignatures;
  readonly cache: SignatureCache;
  readonly introspection: Introspection;
  readonly revocations: RevocationCheck;
  readonly proofs: ProofChecks;
}

/** The whole check, in order. A token seen before on a live feed passes it without waiting for anything. */
export async function acceptToken(
  token: unknown,
  required: ParsedRequirements,
  checks: Checks,
): Promise<VerifiedToken> {
  const text = parseToken(token);
  const digest = checks.platform.digest(text);
  const remembered = checks.cache.find(digest);
  const known = remembered ?? (await vouchFor(text, digest, checks));
  checkNow(known, checks);
  const answers = waitingFor(text, { known, required, checks });
  if (answers !== undefined) {
    await answers;
    // What arrived while we waited counts: between this and the answer nothing is awaited.
    checkNow(known, checks);
  }
  const now = { seconds: nowSeconds(checks.platform), toleranceSeconds: checks.settings.clockToleranceSeconds };
  checkRequirements(known.token, required, now);
  return known.token;
}

interface Question {
  readonly known: VouchedToken;
  readonly required: ParsedRequirements;
  readonly checks: Checks;
}

/** What cannot be told at once; absent: nothing. */
function waitingFor(token: string, { known, required, checks }: Question): Promise<void> | undefined {
  // Of an opaque token the issuer has just said that it is active.
  const ask = (): Promise<void> | undefined =>
    known.vouchedBy === "issuer" ? undefined : checks.revocations.ask(token, known);
  if (!known.isBound && required.dpop === undefined) return ask();
  return checkBinding(token, { known, required, checks }).then(ask);
}

function parseToken(token: unknown): string {
  if (token === undefined || token === null || token === "") throw new VerifierError("token_missing");
  if (typeof token !== "string") throw new VerifierError("token_malformed", { detail: "it is no text" });
  if (token.length > TOKEN_CHARACTERS_MAX) throw new VerifierError("token_malformed", { detail: "it is too long" });
  return token;
}

/** Somebody's word for what the token says: its signature, or the issuer's answer, which holds for this call only. */
async function vouchFor(token: string, digest: string, checks: Checks): Promise<VouchedToken> {
  const { settings, signatures, cache, introspection } = checks;
  if (isJwt(token)) {
    const { edition } = cache;
    const known = await signatures.verify(token);
    cache.remember(digest, known, edition);
    return known;
  }
  if (!OPAQUE_TOKEN.test(token)) throw new VerifierError("token_malformed");
  if (settings.client === undefined) throw new VerifierError("token_opaque");
  return await introspection.describe(token);
}

function checkNow(known: VouchedToken, { platform, settings, revocations }: Checks): void {
  checkTimes(known, nowSeconds(platform), settings.clockToleranceSeconds);
  revocations.refuseRevoked(known);
}

/** A bound token is worth nothing without its proof, and a proof means nothing for a token that anybody may use. */
async function checkBinding(token: string, { known, required, checks }: Question): Promise<void> {
  const thumbprint = known.token.proofKeyThumbprint;
  if (required.dpop === undefined) throw new VerifierError("dpop_proof_missing");
  if (thumbprint === undefined) throw new VerifierError("dpop_token_unbound");
  await checkProof(required.dpop, { token, thumbprint }, checks.proofs);
}

/** As RFC 7519, section 2, counts, and as jose does. */
function nowSeconds(platform: Platform): number {
  return Math.floor(platform.nowMs() / 1_000);
}
