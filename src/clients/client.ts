import type { FactorPolicy } from "../config/index.ts";

export const AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"] as const;
export const GRANT_TYPES = ["authorization_code", "refresh_token", "client_credentials"] as const;
export const IDENTITY_SCOPES = ["openid", "profile", "email", "offline_access"] as const;
export const SIGNATURE_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"] as const;
export const ACCESS_TOKEN_FORMATS = ["jwt", "opaque"] as const;

export type AuthMethod = (typeof AUTH_METHODS)[number];
export type GrantType = (typeof GRANT_TYPES)[number];
export type IdentityScope = (typeof IDENTITY_SCOPES)[number];
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];
export type AccessTokenFormat = (typeof ACCESS_TOKEN_FORMATS)[number];

/** Public keys of a client (RFC 7517, section 5). Private members are refused when they are registered. */
export interface JsonWebKeySet {
  readonly keys: readonly { readonly kty: string; readonly [member: string]: unknown }[];
}

/** What a client may ask for at one resource server. */
export interface ResourceAccess {
  readonly identifier: string;
  readonly scopes: readonly string[];
}

/** A client's settings, complete: every default is filled in. This is what the database keeps. */
export interface ClientMetadata {
  /**
   * First-party clients skip the consent page, unless they are native: any app on the device can claim their redirect
   * URI, so that the person has to see who asks (RFC 8252, section 8.6).
   */
  readonly isFirstParty: boolean;
  readonly authMethod: AuthMethod;
  readonly grantTypes: readonly GrantType[];
  /** Compared character by character with what a request names (RFC 9700, section 2.1). */
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  /** Origins whose pages may call the token, userinfo and revocation endpoints (CORS). */
  readonly allowedOrigins: readonly string[];
  readonly homeUri?: string | undefined;
  /** Where the client is told of sessions that ended (OpenID Connect Back-Channel Logout 1.0, section 2.2). */
  readonly backchannelLogoutUri?: string | undefined;
  /**
   * Whether its ID tokens and logout tokens name the session. Without, the client is told whose session ended, and ends
   * all that it has of that person (section 2.4). Absent without a `backchannelLogoutUri`.
   */
  readonly backchannelLogoutSessionRequired?: boolean | undefined;
  /** Where a sign-in can be begun anew, for "back to the app". */
  readonly initiateLoginUri?: string | undefined;
  readonly logoUri?: string | undefined;
  readonly policyUri?: string | undefined;
  readonly termsUri?: string | undefined;
  readonly jwks?: JsonWebKeySet | undefined;
  readonly jwksUri?: string | undefined;
  readonly scopes: readonly IdentityScope[];
  readonly resources: readonly ResourceAccess[];
  /** The resource server of a request that names none; one of `resources`. */
  readonly defaultResource?: string | undefined;
  /** Resource servers that this client is: it may ask about their tokens (RFC 7662), and hears of what ends them. */
  readonly introspects: readonly string[];
  readonly idTokenAlgorithm: SignatureAlgorithm;
  /** False only for a confidential client that an operator exempted by name. */
  readonly requirePkce: boolean;
  readonly requirePushedAuthorizationRequests: boolean;
  readonly dpopBoundAccessTokens: boolean;
  /** How long its refresh tokens last unused; the deployment's `REFRESH_IDLE_SECONDS` when absent. */
  readonly refreshIdleSeconds?: number | undefined;
  /** How long they last at all; never longer than the deployment's `REFRESH_MAX_SECONDS`, which it is when absent. */
  readonly refreshMaxSeconds?: number | undefined;
  /** Whether people need a second factor for it; the deployment's `MFA_POLICY` when absent. */
  readonly mfa?: FactorPolicy | undefined;
}

/** An application that may ask for tokens (RFC 6749, section 2). */
export interface Client extends ClientMetadata {
  readonly id: string;
  readonly name: string;
  /** What was granted to a client of this id before is not for this one: the id was another's then. */
  readonly createdAt: Date;
  /** What was granted to it before this is revoked; absent when that never happened. */
  readonly grantsSince?: Date | undefined;
  /** SHA-256 of each secret that is active now, newest first; empty unless `authMethod` uses a secret. */
  readonly secretHashes: readonly Buffer[];
}

export interface ResourceScope {
  readonly name: string;
  /** What the consent page says that it allows. */
  readonly description: string;
}

/** An API that accepts our access tokens (RFC 8707). */
export interface ResourceServer {
  /** Absolute URI; the `aud` of its tokens. */
  readonly identifier: string;
  readonly name: string;
  readonly scopes: readonly ResourceScope[];
  readonly accessTokenFormat: AccessTokenFormat;
  readonly accessTokenAlgorithm: SignatureAlgorithm;
  readonly accessTokenSeconds: number;
}

export function usesSecret(authMethod: AuthMethod): boolean {
  return authMethod === "client_secret_basic" || authMethod === "client_secret_post";
}
