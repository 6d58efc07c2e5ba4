/** What the protocol calls things that we name once. */

/** The client behind our own account page: a sign-in there takes the same path as any other. */
export const ACCOUNT_CLIENT_ID = "latchkey-account";
export const ACCOUNT_CALLBACK_PATH = "/account/signed-in";

/** Authentication context classes (`acr`), weakest first. */
export const ACR_PASSWORD = "urn:latchkey:acr:pwd";

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
