import { VerifierError } from "../errors.ts";
import type { Requirements } from "../requirements.ts";
import type { VerifiedToken } from "../verified-token.ts";
import type { Verifier } from "../verifier.ts";
import type { ApiRequest } from "./api-request.ts";

/** What a route asks of a token, and how the service is reached. */
export interface Protection extends Omit<Requirements, "dpop"> {
  /**
   * Scheme, host and port of this service as callers see it, such as `https://api.example.com`: what a DPoP proof has
   * to be made for. Left out, it is how the request reached this process. Behind a proxy that is something else, and a
   * `Host` header is whatever the caller sends: set it when you accept DPoP.
   */
  readonly origin?: string;
  /** Told of every refusal, for the service's own log; the error holds no token. What it throws is the route's failure. */
  readonly onRefused?: (error: VerifierError) => void;
}

/** An answer that is ready to be sent. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

export type Authentication =
  | { readonly type: "accepted"; readonly token: VerifiedToken }
  | { readonly type: "refused"; readonly refusal: Answer };

/** The part of a verifier that an adapter uses. */
export type TokenCheck = Pick<Verifier, "verify">;

/** How long to wait before asking a service again that could not decide. */
const RETRY_AFTER_SECONDS = "5";
const UNDECIDED = "Whether the token is good cannot be told right now";
/** The scheme and one token, in the alphabet that RFC 6750, section 2.1, allows; `DPoP` is RFC 9449, section 7.1. */
const CREDENTIAL = /^(?<scheme>Bearer|DPoP) +(?<token>[A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Reads the credential from the `Authorization` header, and from nowhere else, and has it verified.
 *
 * @throws VerifierError of status 500: the route or the verifier is set up wrongly, which no caller can do anything about.
 */
export async function authenticate(
  verifier: TokenCheck,
  request: ApiRequest,
  protection: Protection,
): Promise<Authentication> {
  try {
    return { type: "accepted", token: await verifyCredential(verifier, request, protection) };
  } catch (error) {
    if (!(error instanceof VerifierError) || error.status === 500) throw error;
    protection.onRefused?.(error);
    return { type: "refused", refusal: wordRefusal(error) };
  }
}

async function verifyCredential(
  verifier: TokenCheck,
  request: ApiRequest,
  protection: Protection,
): Promise<VerifiedToken> {
  const { origin, onRefused: _onRefused, ...requirements } = protection;
  const credential = readCredential(request.headers("authorization"));
  if (credential?.scheme !== "dpop") return verifier.verify(credential?.token, requirements);
  const url = addressOf(request, origin);
  // Two proofs are joined by what no proof contains, and so are refused (RFC 9449, section 4.3).
  const dpop = { proof: request.headers("dpop").join(","), method: request.method, url };
  return verifier.verify(credential.token, { ...requirements, dpop });
}

/**
 * The address that a proof has to be made for. A request may name all of it instead of the path alone (RFC 9112, section
 * 3.2.2), and a `Host` is whatever the caller sends: neither may be taken for a route that is set up wrongly.
 */
function addressOf({ origin, target }: ApiRequest, ownOrigin: string | undefined): string {
  const { pathname = "", search = "" } = URL.parse(target) ?? {};
  const path = target.startsWith("/") ? target : pathname + search;
  if (!path.startsWith("/") || (ownOrigin === undefined && !URL.canParse(origin + path))) throw malformed();
  return (ownOrigin ?? origin) + path;
}

/** Undefined when there is no credential of ours: another scheme is for somebody else. */
function readCredential(values: readonly string[]): { readonly scheme: string; readonly token: string } | undefined {
  const [value = "", ...others] = values;
  if (others.length > 0) throw malformed();
  const { scheme = "", token = "" } = CREDENTIAL.exec(value)?.groups ?? {};
  if (token !== "") return { scheme: scheme.toLowerCase(), token };
  if (/^(Bearer|DPoP)\b/i.test(value)) throw malformed();
  return undefined;
}

function malformed(): VerifierError {
  return new VerifierError("request_malformed", { wwwAuthenticate: 'Bearer error="invalid_request"' });
}

function wordRefusal(error: VerifierError): Answer {
  const headers: Record<string, string> = { "content-type": "application/json", "cache-control": "no-store" };
  if (error.wwwAuthenticate !== undefined) headers["www-authenticate"] = error.wwwAuthenticate;
  if (error.status === 503) headers["retry-after"] = RETRY_AFTER_SECONDS;
  // What is wrong with the service is for its log, and not for whoever calls it.
  const description = error.status === 503 ? UNDECIDED : error.sentence;
  const body = { error: nameOf(error), error_description: description };
  return { status: error.status, headers, body: JSON.stringify(body) };
}

/** A challenge has no `error` when there was no token; the body says something all the same. */
function nameOf({ error, status }: VerifierError): string {
  return error ?? (status === 503 ? "temporarily_unavailable" : "unauthorized");
}

/** What an adapter left where `tokenOf` looks for it. */
export function asVerifiedToken(value: unknown): VerifiedToken {
  if (isVerifiedToken(value)) return value;
  throw new TypeError("There is no verified token: this route is not protected, or what protects it comes later.");
}

function isVerifiedToken(value: unknown): value is VerifiedToken {
  return typeof value === "object" && value !== null && "sub" in value && "clientId" in value && "scopes" in value;
}
