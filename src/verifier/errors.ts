/** The `error` of a challenge, from RFC 6750, RFC 9449 and RFC 9470. */
export type ChallengeError =
  | "invalid_request"
  | "invalid_token"
  | "insufficient_scope"
  | "invalid_dpop_proof"
  | "insufficient_user_authentication";

interface Meaning {
  readonly status: 400 | 401 | 403 | 500 | 503;
  /** Absent: the caller is told nothing about its token, because the token is not what is wrong. */
  readonly error?: ChallengeError;
  /** For the caller; ASCII without quotes, as a challenge wants it. */
  readonly sentence: string;
}

/** Codes are stable: they may be matched, and are never given another meaning. */
const CATALOGUE = {
  authentication_insufficient: {
    status: 401,
    error: "insufficient_user_authentication",
    sentence: "The sign-in behind this token is too weak or too long ago",
  },
  client_refused: { status: 503, sentence: "The issuer does not accept the credentials of this service" },
  dpop_proof_invalid: { status: 401, error: "invalid_dpop_proof", sentence: "The DPoP proof is not valid" },
  dpop_proof_missing: {
    status: 401,
    error: "invalid_token",
    sentence: "The token is bound to a key: a proof is needed",
  },
  dpop_proof_replayed: { status: 401, error: "invalid_dpop_proof", sentence: "The DPoP proof was used before" },
  dpop_token_unbound: {
    status: 401,
    error: "invalid_token",
    sentence: "The token is not bound to the key of the proof",
  },
  issuer_misconfigured: { status: 503, sentence: "The issuer does not offer what is needed here" },
  issuer_unavailable: { status: 503, sentence: "The issuer could not be asked" },
  options_invalid: { status: 500, sentence: "The verifier was set up with options that do not work" },
  proofs_exhausted: { status: 503, sentence: "Too many proofs at once to remember each" },
  request_malformed: { status: 400, error: "invalid_request", sentence: "The request must carry one token in one way" },
  requirements_invalid: { status: 500, sentence: "The requirements given to verify do not work" },
  revocations_refused: { status: 503, sentence: "The issuer refuses the feed of revocations to this service" },
  revocations_stale: { status: 503, sentence: "Revocations are not known right now" },
  scope_insufficient: { status: 403, error: "insufficient_scope", sentence: "The token does not allow this" },
  token_algorithm_refused: {
    status: 401,
    error: "invalid_token",
    sentence: "The algorithm of the token is not accepted",
  },
  token_audience_wrong: { status: 401, error: "invalid_token", sentence: "The token is meant for another service" },
  token_binding_unsupported: {
    status: 401,
    error: "invalid_token",
    sentence: "The token is bound in a way not supported",
  },
  token_claims_invalid: {
    status: 401,
    error: "invalid_token",
    sentence: "A claim of the token is missing or malformed",
  },
  token_expired: { status: 401, error: "invalid_token", sentence: "The token has expired" },
  token_inactive: { status: 401, error: "invalid_token", sentence: "The token is not active" },
  token_issuer_wrong: { status: 401, error: "invalid_token", sentence: "The token comes from another issuer" },
  token_key_unknown: { status: 401, error: "invalid_token", sentence: "The key of the token is not known" },
  token_malformed: { status: 401, error: "invalid_token", sentence: "The token is malformed" },
  token_missing: { status: 401, sentence: "A token is needed" },
  token_not_yet_valid: { status: 401, error: "invalid_token", sentence: "The token is not valid yet" },
  token_opaque: { status: 401, error: "invalid_token", sentence: "Opaque tokens are not accepted here" },
  token_revoked: { status: 401, error: "invalid_token", sentence: "The token was revoked" },
  token_signature_invalid: { status: 401, error: "invalid_token", sentence: "The signature of the token is not valid" },
  token_type_wrong: { status: 401, error: "invalid_token", sentence: "This is not an access token" },
  verifier_closed: { status: 503, sentence: "The verifier was closed" },
  verifier_failed: { status: 500, sentence: "The token could not be checked" },
} as const satisfies Record<string, Meaning>;

export type VerifierErrorCode = keyof typeof CATALOGUE;

export interface VerifierErrorOptions {
  /** For the service's own log. Holds no token, no secret and no personal data. */
  readonly detail?: string;
  readonly cause?: unknown;
  /** The `WWW-Authenticate` header to answer with. */
  readonly wwwAuthenticate?: string;
}

/** The only thing that a verifier throws. */
export class VerifierError extends Error {
  /** Stable; see the list in `docs/protect-an-api.md`. */
  readonly code: VerifierErrorCode;
  /** The HTTP status to answer with. */
  readonly status: 400 | 401 | 403 | 500 | 503;
  /** The `error` of RFC 6750, 9449 or 9470; absent where the token is not what is wrong. */
  readonly error: ChallengeError | undefined;
  /** May be sent to the caller with a status of 400, 401 or 403; otherwise it says what is wrong with the service. */
  readonly sentence: string;
  /** For the service's own log, not for the caller. */
  readonly detail: string | undefined;
  /** The `WWW-Authenticate` header to answer with; absent for a status other than 400, 401 and 403. */
  readonly wwwAuthenticate: string | undefined;

  constructor(code: VerifierErrorCode, options: VerifierErrorOptions = {}) {
    const meaning: Meaning = CATALOGUE[code];
    super(options.detail === undefined ? meaning.sentence : `${meaning.sentence}: ${options.detail}`, {
      cause: options.cause,
    });
    this.name = "VerifierError";
    this.code = code;
    this.status = meaning.status;
    this.error = meaning.error;
    this.sentence = meaning.sentence;
    this.detail = options.detail;
    this.wwwAuthenticate = options.wwwAuthenticate;
  }
}

/** What was not foreseen is a refusal as well. */
export function asVerifierError(error: unknown): VerifierError {
  return error instanceof VerifierError ? error : new VerifierError("verifier_failed", { cause: error });
}
