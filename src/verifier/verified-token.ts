import { VerifierError } from "./errors.ts";
import { isJsonObject, type JsonObject } from "./json-object.ts";
import type { RevocableToken } from "./revoked-set.ts";

/** A token that may be acted on: frozen, and shared between calls with the same token. */
export interface VerifiedToken {
  /** The person; in a client-credentials token the client itself. */
  readonly sub: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** The name of the token, `jti`; empty where an opaque token has none. */
  readonly tokenId: string;
  /** The sign-in that the token hangs on; absent in those of services and those that outlive the sign-out. */
  readonly sessionId: string | undefined;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** When the person signed in, in seconds since the epoch. */
  readonly authTime: number | undefined;
  /** How well the person is known to be who they say. */
  readonly acr: string | undefined;
  /** The factors that they showed. */
  readonly amr: readonly string[];
  /** Thumbprint of the key that the token is bound to (RFC 9449, section 6). */
  readonly proofKeyThumbprint: string | undefined;
  /** Everything that the token, or the issuer about it, says; what is not above is as it came. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A token whose content is vouched for, by a signature or by the issuer's word; not yet that it may be used now. */
export interface VouchedToken {
  readonly token: VerifiedToken;
  readonly vouchedBy: "signature" | "issuer";
  readonly revocable: RevocableToken;
  /** Seconds since the epoch; minus infinity if the token does not say. */
  readonly notBefore: number;
  readonly isBound: boolean;
}

export interface Expectations {
  readonly issuer: string;
  readonly audience: string;
}

/**
 * `signedBy` is the key that vouches for the claims (RFC 9068, section 2.2, says which there are); absent: they are the
 * issuer's answer about an opaque token, which may have no name.
 *
 * @throws VerifierError `token_claims_invalid`, `token_issuer_wrong`, `token_audience_wrong`, `token_binding_unsupported`
 */
export function parseClaims(claims: JsonObject, signedBy: string | undefined, expected: Expectations): VouchedToken {
  if (requireText(claims, "iss") !== expected.issuer) throw new VerifierError("token_issuer_wrong");
  if (!audiencesOf(claims).includes(expected.audience)) throw new VerifierError("token_audience_wrong");
  const [sub, clientId] = [requireText(claims, "sub"), requireText(claims, "client_id")];
  const jti = signedBy === undefined ? (optionalText(claims, "jti") ?? "") : requireText(claims, "jti");
  const kid = signedBy ?? "";
  const sessionId = optionalText(claims, "sid");
  const issuedAt = requireTime(claims, "iat");
  const proofKeyThumbprint = parseConfirmation(own(claims, "cnf"));
  const token: VerifiedToken = {
    sub,
    clientId,
    scopes: (optionalText(claims, "scope") ?? "").split(" ").filter((scope) => scope !== ""),
    tokenId: jti,
    sessionId,
    issuedAt,
    expiresAt: requireTime(claims, "exp"),
    authTime: optionalTime(claims, "auth_time"),
    acr: optionalText(claims, "acr"),
    amr: textsOf(claims, "amr"),
    proofKeyThumbprint,
    claims,
  };
  deepFreeze(token);
  return {
    token,
    vouchedBy: signedBy === undefined ? "issuer" : "signature",
    revocable: {
      ...(sessionId === undefined ? {} : { sid: sessionId }),
      jti,
      sub,
      client_id: clientId,
      iat: issuedAt,
      kid,
    },
    notBefore: optionalTime(claims, "nbf") ?? Number.NEGATIVE_INFINITY,
    isBound: proofKeyThumbprint !== undefined,
  };
}

/** As jose decides it, tolerance included. @throws VerifierError `token_expired`, `token_not_yet_valid` */
export function checkTimes({ token, notBefore }: VouchedToken, nowSeconds: number, toleranceSeconds: number): void {
  if (!(token.expiresAt > nowSeconds - toleranceSeconds)) throw new VerifierError("token_expired");
  if (!(notBefore <= nowSeconds + toleranceSeconds)) throw new VerifierError("token_not_yet_valid");
}

/**
 * The thumbprint of the key that the token is bound to. A binding that is not understood must not be overlooked: the
 * token would be taken from anybody (RFC 7800, section 3.1; `x5t#S256` is mutual TLS, RFC 8705).
 */
function parseConfirmation(confirmation: unknown): string | undefined {
  if (confirmation === undefined) return undefined;
  if (isJsonObject(confirmation)) {
    const { jkt, ...others } = confirmation;
    if (typeof jkt === "string" && Object.keys(others).length === 0) return jkt;
  }
  throw new VerifierError("token_binding_unsupported");
}

function invalid(claim: string): VerifierError {
  return new VerifierError("token_claims_invalid", { detail: claim });
}

function requireText(claims: JsonObject, name: string): string {
  const value = optionalText(claims, name);
  if (value === undefined || value === "") throw invalid(name);
  return value;
}

function optionalText(claims: JsonObject, name: string): string | undefined {
  const value = own(claims, name);
  if (value !== undefined && typeof value !== "string") throw invalid(name);
  return value;
}

function requireTime(claims: JsonObject, name: string): number {
  const value = optionalTime(claims, name);
  if (value === undefined) throw invalid(name);
  return value;
}

function optionalTime(claims: JsonObject, name: string): number | undefined {
  const value = own(claims, name);
  if (value !== undefined && (typeof value !== "number" || !Number.isFinite(value))) throw invalid(name);
  return value;
}

function audiencesOf(claims: JsonObject): readonly string[] {
  const value = own(claims, "aud");
  return typeof value === "string" ? [value] : textsOf(claims, "aud");
}

function textsOf(claims: JsonObject, name: string): readonly string[] {
  const value = own(claims, name) ?? [];
  if (!Array.isArray(value) || !value.every((member) => typeof member === "string")) throw invalid(name);
  return value.map(String);
}

/** What is inherited was said by nobody. */
function own(claims: JsonObject, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** Callers share the object: one that changed it would change what the next one is told. */
function deepFreeze(value: object): void {
  Object.freeze(value);
  for (const member of Object.values(value)) {
    if (typeof member === "object" && member !== null) deepFreeze(member);
  }
}
