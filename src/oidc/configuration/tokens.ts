import type { Configuration } from "oidc-provider";

/**
 * How tokens come about and end.
 *
 * A token lives and dies with the session that it came from, unless the person granted `offline_access`. Every refresh
 * gives a new refresh token, and the old one ends in the same step.
 */
export const TOKENS = {
  expiresWithSession: (_ctx, token) => !token.scopes.has("offline_access"),
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed("refresh_token"),
  rotateRefreshToken: true,
  /** Which session a token hangs on, and how its person signed in (RFC 9068, section 2.2.1). */
  extraTokenClaims(ctx, token) {
    if (token.kind !== "AccessToken" || token.resourceServer?.accessTokenFormat !== "jwt") return undefined;
    const source = ctx.oidc.entities.AuthorizationCode ?? ctx.oidc.entities.RefreshToken;
    return {
      sid: token.sessionUid,
      auth_time: source?.authTime,
      acr: source?.acr,
      amr: source?.amr,
    };
  },
} satisfies Partial<Configuration>;
