/**
 * What a service needs to accept Latchkey's access tokens: verified here, refused everywhere once they are revoked.
 *
 * Published as a package of its own, so it imports nothing of the rest of the house; the server takes `RevokedSet`
 * from here, so that both mean the same by a revocation.
 */
export { VerifierError, type ChallengeError, type VerifierErrorCode, type VerifierErrorOptions } from "./errors.ts";
export type { VerifierEvents } from "./events.ts";
export type { ClientCredentials, UsedProofs, VerifierOptions } from "./options.ts";
export type { ProofOfPossession, Requirements } from "./requirements.ts";
export { type RevocableToken, type RevocationRecord, RevokedSet } from "./revoked-set.ts";
export type { VerifiedToken } from "./verified-token.ts";
export { createVerifier, type Verifier, type VerifierStatus } from "./verifier.ts";
