/** What the protocol calls things that we name once. */

/** The client behind our own account page: a sign-in there takes the same path as any other. */
export const ACCOUNT_CLIENT_ID = "latchkey-account";
export const ACCOUNT_CALLBACK_PATH = "/account/signed-in";

/** The feed of revocations: an API of our own, with one scope, for services that prove who they are. */
export const REVOCATION_FEED_SCOPE = "revocations";

/** Where the feed is, and the audience of the tokens that open it. */
export function revocationFeedUrl(issuer: string): string {
  return `${issuer}/revocations`;
}

export const ROUTES = {
  authorization: "/authorize",
  token: "/token",
  userinfo: "/userinfo",
  jwks: "/jwks",
  introspection: "/introspect",
  revocation: "/revoke",
  pushed_authorization_request: "/par",
  end_session: "/end-session",
} as const;
