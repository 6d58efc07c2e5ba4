import { VerifierError } from "./errors.ts";
import type { IssuerRequests } from "./issuer-requests.ts";
import type { JsonObject } from "./json-object.ts";
import { createKeptValue, type KeptValue } from "./kept-value.ts";
import type { Platform } from "./platform.ts";

/** Where the issuer answers what; an endpoint that it does not name is absent. */
export interface IssuerMetadata {
  readonly jwksUri: string;
  readonly tokenEndpoint: string | undefined;
  readonly introspectionEndpoint: string | undefined;
  readonly revocationFeedEndpoint: string | undefined;
}

const AGE_MS_MAX = 10 * 60 * 1_000;
const COOL_DOWN_MS = 10_000;

/** The discovery document (OpenID Connect Discovery 1.0, section 4). */
export function createIssuerMetadata(deps: {
  readonly issuer: string;
  readonly requests: IssuerRequests;
  readonly platform: Platform;
}): KeptValue<IssuerMetadata> {
  const url = `${deps.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  return createKeptValue({
    platform: deps.platform,
    ageMsMax: AGE_MS_MAX,
    coolDownMs: COOL_DOWN_MS,
    load: async () => parseMetadata(await deps.requests.getJson(url), deps.issuer),
  });
}

function parseMetadata(document: JsonObject, issuer: string): IssuerMetadata {
  // Section 4.3: a document about another issuer would bring keys that are not this one's.
  if (document["issuer"] !== issuer) throw misconfigured("its discovery document names another issuer");
  const jwksUri = parseEndpoint(document, "jwks_uri", issuer);
  if (jwksUri === undefined) throw misconfigured("its discovery document names no jwks_uri");
  return {
    jwksUri,
    tokenEndpoint: parseEndpoint(document, "token_endpoint", issuer),
    introspectionEndpoint: parseEndpoint(document, "introspection_endpoint", issuer),
    revocationFeedEndpoint: parseEndpoint(document, "revocation_feed_endpoint", issuer),
  };
}

function parseEndpoint(document: JsonObject, name: string, issuer: string): string | undefined {
  const value = document[name];
  if (value === undefined) return undefined;
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  // Keys and secrets travel there, so it may not be less protected than the issuer itself.
  const isProtected = url?.protocol === "https:" || (url?.protocol === "http:" && issuer.startsWith("http:"));
  if (url === undefined || !isProtected) throw misconfigured(`its ${name} is no address that can be used`);
  return url.href;
}

function misconfigured(detail: string): VerifierError {
  return new VerifierError("issuer_misconfigured", { detail });
}

/** @throws VerifierError `issuer_misconfigured` if the issuer does not name it. */
export function requireEndpoint(endpoint: string | undefined, name: string): string {
  if (endpoint === undefined) throw misconfigured(`its discovery document names no ${name}`);
  return endpoint;
}
