import { type AdapterPayload, type ClientMetadata, type Configuration, errors } from "oidc-provider";
import { equalOctets, sha256 } from "../../core/index.ts";
import type { Client, Clients } from "../../clients/index.ts";
import { CLOCK_TOLERANCE_SECONDS } from "../../sessions/index.ts";
import type { GrantLimits } from "../adapter/index.ts";
import { ACCOUNT_CALLBACK_PATH, ACCOUNT_CLIENT_ID } from "../identity.ts";

/** What the library carries along for us with each client. */
const OWN_MEMBERS = [
  "first_party",
  "require_pkce",
  "allowed_origins",
  "refresh_idle_seconds",
  "refresh_max_seconds",
  "factor_policy",
] as const;

export const extraClientMetadata: Configuration["extraClientMetadata"] = { properties: [...OWN_MEMBERS] };

/** Of the clients that the registry keeps for a second, so that a client in use is described once a second. */
const described = new WeakMap<Client, AdapterPayload & ClientMetadata>();

/** A client as the library wants it (OpenID Connect Dynamic Client Registration 1.0, section 2). */
export function toMetadata(client: Client): AdapterPayload & ClientMetadata {
  const metadata = described.get(client) ?? describeForLibrary(client);
  described.set(client, metadata);
  return metadata;
}

function describeForLibrary(client: Client): AdapterPayload & ClientMetadata {
  const usesCode = client.grantTypes.includes("authorization_code");
  return {
    client_id: client.id,
    client_name: client.name,
    application_type: isNative(client) ? "native" : "web",
    token_endpoint_auth_method: client.authMethod,
    grant_types: [...client.grantTypes],
    response_types: usesCode ? ["code"] : [],
    redirect_uris: [...client.redirectUris],
    post_logout_redirect_uris: [...client.postLogoutRedirectUris],
    id_token_signed_response_alg: client.idTokenAlgorithm,
    require_pushed_authorization_requests: client.requirePushedAuthorizationRequests,
    dpop_bound_access_tokens: client.dpopBoundAccessTokens,
    first_party: client.isFirstParty,
    require_pkce: client.requirePkce,
    allowed_origins: [...client.allowedOrigins],
    ...optionalMembers(client),
  };
}

function optionalMembers(client: Client): Partial<ClientMetadata> {
  const usesSecret = client.authMethod.startsWith("client_secret");
  const members = {
    // A service has none of its own: what it may do is said by its resource servers.
    scope: identityScopesOf(client).join(" ") || undefined,
    client_uri: client.homeUri,
    // The library takes https only, and we use it ourselves; on this machine, http does.
    initiate_login_uri: client.initiateLoginUri?.startsWith("https:") ? client.initiateLoginUri : undefined,
    backchannel_logout_uri: client.backchannelLogoutUri,
    backchannel_logout_session_required: client.backchannelLogoutSessionRequired,
    refresh_idle_seconds: client.refreshIdleSeconds,
    refresh_max_seconds: client.refreshMaxSeconds,
    factor_policy: client.mfa,
    logo_uri: client.logoUri,
    policy_uri: client.policyUri,
    tos_uri: client.termsUri,
    jwks_uri: client.jwksUri,
    jwks: client.jwks,
    // The library wants a secret to be there and never gets to compare it: see `useOwnSecretComparison`.
    client_secret: usesSecret ? "kept as a digest elsewhere" : undefined,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** `openid` tells an app nothing but that somebody is there: whoever signs people in may ask for it. */
function identityScopesOf(client: Client): readonly string[] {
  const usesCode = client.grantTypes.includes("authorization_code");
  return usesCode && client.scopes.length === 0 ? ["openid"] : client.scopes;
}

/** What a grant to this client can hold at the most. */
export function grantLimitsOf(client: Client): GrantLimits {
  return { since: grantsSinceOf(client), identityScopes: identityScopesOf(client) };
}

/**
 * In whole seconds, as a grant's beginning is. A grant that was revoked may have been dated ahead by the node that made
 * it. One from right after the revocation goes with it, as the client's tokens of that time do.
 */
function grantsSinceOf({ createdAt, grantsSince }: Client): number {
  const createdSeconds = Math.floor(createdAt.getTime() / 1000);
  if (grantsSince === undefined) return createdSeconds;
  return Math.floor(grantsSince.getTime() / 1000) + 1 + CLOCK_TOLERANCE_SECONDS;
}

/** Apps that open a browser listen on a loopback port of the moment or on a scheme of their own (RFC 8252). */
function isNative(client: Client): boolean {
  const isNativeUri = (uri: string): boolean =>
    !/^https?:/i.test(uri) || /^http:\/\/(127\.0\.0\.1|\[::1\])(:|\/|$)/.test(uri);
  return client.redirectUris.length > 0 && client.redirectUris.every(isNativeUri);
}

/** The client behind `/account`. It never redeems its code: signing in is all that it is for. */
export function accountClientMetadata(issuer: string): AdapterPayload & ClientMetadata {
  return {
    client_id: ACCOUNT_CLIENT_ID,
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code"],
    response_types: ["code"],
    redirect_uris: [issuer + ACCOUNT_CALLBACK_PATH],
    scope: "openid",
    first_party: true,
    require_pkce: true,
    allowed_origins: [],
  };
}

/** Checks a presented secret against the digests of the active ones; of several, each is compared. */
export async function isClientSecret(clients: Clients, clientId: string, presented: string): Promise<boolean> {
  const digest = sha256(presented);
  const hashes = (await clients.findClient(clientId))?.secretHashes ?? [];
  return hashes.map((hash) => equalOctets(hash, digest)).includes(true);
}

const ASSERTION_SECONDS_MAX = 60 * 60;

/**
 * A `client_assertion` is remembered until it ends, so that it works once (RFC 7523, section 3). One that hardly ever
 * ends would have us remember it for as long.
 */
export function refuseLongLivedAssertion(
  nowSeconds: () => number,
): NonNullable<Configuration["assertJwtClientAuthClaimsAndHeader"]> {
  return async (_ctx, { exp }) => {
    if (typeof exp === "number" && exp - nowSeconds() <= ASSERTION_SECONDS_MAX) return;
    throw new errors.InvalidClientAuth("the client_assertion ends more than an hour ahead");
  };
}
