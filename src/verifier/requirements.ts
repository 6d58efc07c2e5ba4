import { VerifierError } from "./errors.ts";
import type { VerifiedToken } from "./verified-token.ts";

/** What a call asks of a token beyond being valid. */
export interface Requirements {
  /** Each of these must have been granted; a text is split at spaces. */
  readonly scope?: string | readonly string[];
  /** One of these must be how the person signed in (RFC 9470); a text is split at spaces. */
  readonly acr?: string | readonly string[];
  /** The sign-in may be at most so long ago (RFC 9470). */
  readonly maxAgeSeconds?: number;
  /** The proof that came with the token. Present exactly if the token came in the scheme `DPoP` (RFC 9449). */
  readonly dpop?: ProofOfPossession;
}

export interface ProofOfPossession {
  /** The `DPoP` header. */
  readonly proof: string;
  /** The method of the request, as it was sent. */
  readonly method: string;
  /** The address of the request as the caller sees it; query and fragment do not count. */
  readonly url: string;
}

/** Requirements as they are checked and as a challenge names them. */
export interface ParsedRequirements {
  readonly scopes: readonly string[];
  readonly acrValues: readonly string[];
  readonly maxAgeSeconds: number | undefined;
  readonly dpop: ProofOfPossession | undefined;
}

export const NO_REQUIREMENTS: ParsedRequirements = {
  scopes: [],
  acrValues: [],
  maxAgeSeconds: undefined,
  dpop: undefined,
};

const NAMES: ReadonlySet<string> = new Set(["scope", "acr", "maxAgeSeconds", "dpop"]);

/** Anything else could end the quotes of a challenge (RFC 6749, section 3.3, says the same of scopes). */
const WORD = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** @throws VerifierError `requirements_invalid`: a requirement that is not understood must not be overlooked. */
export function parseRequirements(requirements: Requirements | undefined): ParsedRequirements {
  if (requirements === undefined) return NO_REQUIREMENTS;
  if (typeof requirements !== "object" || requirements === null) throw invalid("they are no object");
  for (const name of Object.keys(requirements)) if (!NAMES.has(name)) throw invalid("one has a name that is not known");
  const { scope, acr, maxAgeSeconds, dpop } = requirements;
  if (maxAgeSeconds !== undefined && !(Number.isSafeInteger(maxAgeSeconds) && maxAgeSeconds >= 0)) {
    throw invalid("maxAgeSeconds must be a whole number");
  }
  return {
    scopes: parseWords("scope", scope),
    acrValues: parseWords("acr", acr),
    maxAgeSeconds,
    dpop: parseProof(dpop),
  };
}

function parseWords(name: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  const words: readonly unknown[] = typeof value === "string" ? value.split(" ") : Array.isArray(value) ? value : [];
  if (words.length === 0 || !words.every((word) => typeof word === "string" && WORD.test(word))) {
    throw invalid(`${name} must be words`);
  }
  return words.map(String);
}

function parseProof(value: unknown): ProofOfPossession | undefined {
  if (value === undefined) return undefined;
  const { proof, method, url } = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  if (typeof proof !== "string" || typeof method !== "string" || typeof url !== "string" || !URL.canParse(url)) {
    throw invalid("dpop must be a proof, a method and an address");
  }
  return { proof, method, url };
}

function invalid(detail: string): VerifierError {
  return new VerifierError("requirements_invalid", { detail });
}

/** @throws VerifierError `scope_insufficient`, `authentication_insufficient` */
export function checkRequirements(
  token: VerifiedToken,
  required: ParsedRequirements,
  now: { readonly seconds: number; readonly toleranceSeconds: number },
): void {
  if (!required.scopes.every((scope) => token.scopes.includes(scope))) throw new VerifierError("scope_insufficient");
  if (required.acrValues.length > 0 && !(token.acr !== undefined && required.acrValues.includes(token.acr))) {
    throw new VerifierError("authentication_insufficient", { detail: "acr" });
  }
  if (required.maxAgeSeconds === undefined) return;
  const ageSeconds = now.seconds - (token.authTime ?? Number.NEGATIVE_INFINITY);
  if (!(ageSeconds <= required.maxAgeSeconds + now.toleranceSeconds)) {
    throw new VerifierError("authentication_insufficient", { detail: "auth_time" });
  }
}
