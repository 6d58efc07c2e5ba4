import { type Configuration, errors, type KoaContextWithOIDC } from "oidc-provider";
import type { FactorPolicy } from "../../config/index.ts";
import { currentRequestScope, type ProtocolState } from "../adapter/index.ts";
import { policyFor } from "../asked-assurance.ts";

/**
 * How tokens come about and end.
 *
 * A token lives and dies with the session that it came from, unless the person granted `offline_access`. A refresh gives
 * a new refresh token and ends the old one in the same step; see `refresh-grant.ts`.
 */
export function tokens(factorPolicy: FactorPolicy) {
  return {
    expiresWithSession: (_ctx, token) => !token.scopes.has("offline_access"),
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    rotateRefreshToken(ctx) {
      refuseWeakSignIn(ctx, ctx.oidc.entities.RefreshToken, factorPolicy);
      return rotatesRefreshToken(ctx);
    },
  } satisfies Partial<Configuration>;
}

/**
 * Since the sign-in the operator may have decided that this client's people need a second factor. Of a refresh token it
 * is asked before anything is spent; the app sends the person to sign in.
 */
export function refuseWeakSignIn(
  { oidc }: KoaContextWithOIDC,
  source: { readonly amr?: readonly string[] | undefined } | undefined,
  deployment: FactorPolicy,
): void {
  const isRequired = policyFor(oidc.client, deployment) === "required";
  if (isRequired && source?.amr?.includes("mfa") !== true) {
    throw new errors.InvalidGrant("the sign-in had no second factor, and this client needs one");
  }
}

/**
 * Whether a refresh gives a new refresh token: unless it is a retry, or the client proves who it is each time, by the key
 * that the token is bound to or, as a confidential client, by authenticating and by the key that its access tokens are
 * bound to. A stolen token is of no use then, and one that stays cannot be lost on the way.
 *
 * @see FAPI 2.0 Security Profile, section 5.3.2.1
 */
function rotatesRefreshToken(ctx: KoaContextWithOIDC): boolean {
  const underWay = currentRequestScope()?.refresh;
  if (underWay === undefined) return true;
  const { client, entities } = ctx.oidc;
  refuseOtherResource(ctx);
  const isConfidential = client !== undefined && client.clientAuthMethod !== "none";
  if (entities.RefreshToken?.isSenderConstrained() === true || (isConfidential && ctx.get("DPoP") !== ""))
    underWay.keepsToken = true;
  return !underWay.keepsToken;
}

/** The library asks after it has rotated, and the token would be gone for a request that gets nothing for it. */
function refuseOtherResource({ oidc }: KoaContextWithOIDC): void {
  const known = oidc.entities.RefreshToken?.resourceIndicators;
  const requested = [oidc.params?.["resource"]].flat().filter((resource) => typeof resource === "string");
  if (requested.some((resource) => resource !== "" && known?.has(resource) !== true)) throw new errors.InvalidTarget();
}

type ExtraTokenClaims = NonNullable<Configuration["extraTokenClaims"]>;
type AccessToken = Extract<Parameters<ExtraTokenClaims>[1], { readonly kind: "AccessToken" }>;

/**
 * Which session a JWT access token of a person hangs on, and how that person signed in (RFC 9068, section 2.2.1).
 *
 * How is told by what the token is issued for, which knows it when the session is long gone. A token that outlives the
 * session names it only while it lasts: what is issued after a sign-out is not what that sign-out was to end.
 */
export function sessionClaims(state: Pick<ProtocolState, "isSessionAlive">): ExtraTokenClaims {
  const findSession = async ({ sessionUid, expiresWithSession }: AccessToken): Promise<string | undefined> => {
    if (sessionUid === undefined || expiresWithSession) return sessionUid;
    return (await state.isSessionAlive(sessionUid)) ? sessionUid : undefined;
  };
  return async ({ oidc }: KoaContextWithOIDC, token) => {
    if (token.kind !== "AccessToken" || token.resourceServer?.accessTokenFormat !== "jwt") return undefined;
    const source = oidc.entities.AuthorizationCode ?? oidc.entities.RefreshToken;
    return {
      sid: await findSession(token),
      auth_time: source?.authTime,
      acr: source?.acr,
      amr: source?.amr,
    };
  };
}
