import { VerifierError, type VerifierErrorCode } from "./errors.ts";
import { NO_REQUIREMENTS, type ParsedRequirements } from "./requirements.ts";

export interface ChallengeDeps {
  readonly algorithms: readonly string[];
  readonly resourceMetadataUrl: string | undefined;
}

/** Which scheme the caller used, or should have used. */
type Scheme = "Bearer" | "DPoP";

/** Codes after which the caller has to come with a proof. */
const ASKS_FOR_PROOF: ReadonlySet<VerifierErrorCode> = new Set(["dpop_proof_missing"]);

/**
 * The same error with its `WWW-Authenticate` header: RFC 6750, section 3; RFC 9449, section 7.1; RFC 9470, section 3;
 * RFC 9728, section 5.1.
 */
export function withChallenge(
  error: VerifierError,
  required: ParsedRequirements | undefined,
  deps: ChallengeDeps,
): VerifierError {
  if (error.status >= 500 || error.wwwAuthenticate !== undefined) return error;
  const { detail, cause } = error;
  return new VerifierError(error.code, {
    ...(detail === undefined ? {} : { detail }),
    cause,
    wwwAuthenticate: challengeFor(error, required ?? NO_REQUIREMENTS, deps),
  });
}

function challengeFor(error: VerifierError, required: ParsedRequirements, deps: ChallengeDeps): string {
  if (error.error === undefined) return [challenge("Bearer", {}, deps), challenge("DPoP", {}, deps)].join(", ");
  const scheme: Scheme = required.dpop !== undefined || ASKS_FOR_PROOF.has(error.code) ? "DPoP" : "Bearer";
  const parameters = { error: error.error, error_description: error.sentence };
  return challenge(scheme, { ...parameters, ...missingIn(error, required) }, deps);
}

/** What a token would have to have. */
function missingIn(error: VerifierError, required: ParsedRequirements): Readonly<Record<string, string>> {
  if (error.error === "insufficient_scope") return { scope: required.scopes.join(" ") };
  if (error.error !== "insufficient_user_authentication") return {};
  return {
    ...(required.acrValues.length > 0 ? { acr_values: required.acrValues.join(" ") } : {}),
    ...(required.maxAgeSeconds === undefined ? {} : { max_age: String(required.maxAgeSeconds) }),
  };
}

/** Values are sentences of ours, words without quotes, and addresses as `URL` writes them: nothing needs escaping. */
function challenge(scheme: Scheme, parameters: Readonly<Record<string, string>>, deps: ChallengeDeps): string {
  const all = {
    ...(scheme === "DPoP" ? { algs: deps.algorithms.join(" ") } : {}),
    ...parameters,
    ...(deps.resourceMetadataUrl === undefined ? {} : { resource_metadata: deps.resourceMetadataUrl }),
  };
  const pairs = Object.entries(all).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? scheme : `${scheme} ${pairs.join(", ")}`;
}
