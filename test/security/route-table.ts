/**
 * Every route of the server, what protects it, and what somebody without a session, a secret or a token is answered.
 *
 * `route-table.test.ts` fails when the server has a route that is not here, so that nobody adds one without saying what
 * protects it.
 */
export interface Route {
  readonly method: "GET" | "POST" | "OPTIONS";
  readonly path: string;
  /**
   * `public`: the same for everybody. `client`: client authentication. `token`: an access token. `interaction`: the
   * cookie of the interaction. `session`: the session cookie. `link`: what a mail carried. `request`: what the client
   * registered.
   */
  readonly protection: "public" | "client" | "token" | "interaction" | "session" | "link" | "request";
  /** What an anonymous request without parameters is answered. */
  readonly anonymous: number;
}

const METADATA = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"] as const;
const CROSS_ORIGIN = [...METADATA, "/token", "/userinfo", "/introspect", "/revoke", "/par"] as const;
/** Each is shown at its turn in a sign-in, by whoever has the cookie of the interaction. */
const FACTOR_PAGES = [
  "prove-email",
  "passkey",
  "second-factor",
  "recovery-code",
  "recovery-used",
  "enroll-app",
  "enroll-passkey",
  "recovery-codes",
  "decline",
] as const;

export const ROUTES: readonly Route[] = [
  ...METADATA.map((path) => ({ method: "GET", path, protection: "public", anonymous: 200 }) as const),
  // Preflights say which origins may ask; what is asked is protected by itself.
  ...CROSS_ORIGIN.map((path) => ({ method: "OPTIONS", path, protection: "public", anonymous: 204 }) as const),

  { method: "GET", path: "/authorize", protection: "request", anonymous: 400 },
  // What is posted comes back as a GET, with the cookies that a browser keeps from another site's POST.
  { method: "POST", path: "/authorize", protection: "request", anonymous: 303 },
  { method: "GET", path: "/authorize/:uid", protection: "interaction", anonymous: 400 },
  { method: "POST", path: "/token", protection: "client", anonymous: 400 },
  { method: "POST", path: "/par", protection: "client", anonymous: 400 },
  { method: "POST", path: "/introspect", protection: "client", anonymous: 400 },
  { method: "POST", path: "/revoke", protection: "client", anonymous: 400 },
  { method: "GET", path: "/userinfo", protection: "token", anonymous: 401 },
  { method: "POST", path: "/userinfo", protection: "token", anonymous: 401 },
  { method: "GET", path: "/revocations", protection: "token", anonymous: 401 },
  { method: "GET", path: "/end-session", protection: "request", anonymous: 303 },
  { method: "POST", path: "/end-session", protection: "request", anonymous: 303 },
  { method: "POST", path: "/end-session/confirm", protection: "session", anonymous: 400 },
  { method: "GET", path: "/end-session/success", protection: "public", anonymous: 200 },

  { method: "GET", path: "/interaction/restart", protection: "request", anonymous: 404 },
  { method: "GET", path: "/interaction/:uid", protection: "interaction", anonymous: 400 },
  { method: "GET", path: "/interaction/:uid/sign-in", protection: "interaction", anonymous: 400 },
  { method: "POST", path: "/interaction/:uid/sign-in", protection: "interaction", anonymous: 400 },
  { method: "GET", path: "/interaction/:uid/create-account", protection: "interaction", anonymous: 400 },
  { method: "POST", path: "/interaction/:uid/create-account", protection: "interaction", anonymous: 400 },
  ...FACTOR_PAGES.flatMap(
    (page) =>
      [
        { method: "GET", path: `/interaction/:uid/${page}`, protection: "interaction", anonymous: 400 },
        { method: "POST", path: `/interaction/:uid/${page}`, protection: "interaction", anonymous: 400 },
      ] as const,
  ),
  { method: "GET", path: "/interaction/:uid/recovery-codes.txt", protection: "interaction", anonymous: 400 },
  ...["confirm-email", "new-account"].flatMap(
    (page) =>
      [
        { method: "GET", path: `/interaction/:uid/${page}`, protection: "interaction", anonymous: 400 },
        { method: "POST", path: `/interaction/:uid/${page}`, protection: "interaction", anonymous: 400 },
      ] as const,
  ),
  { method: "GET", path: "/interaction/:uid/consent", protection: "interaction", anonymous: 400 },
  { method: "POST", path: "/interaction/:uid/consent", protection: "interaction", anonymous: 400 },
  { method: "GET", path: "/interaction/:uid/switch", protection: "interaction", anonymous: 400 },
  { method: "POST", path: "/interaction/:uid/switch", protection: "interaction", anonymous: 400 },

  { method: "GET", path: "/", protection: "public", anonymous: 200 },
  { method: "GET", path: "/sign-in", protection: "public", anonymous: 303 },
  { method: "GET", path: "/create-account", protection: "public", anonymous: 303 },
  // What a link of a mail carries; without it, or where no mail is configured, there is nothing.
  { method: "GET", path: "/create-account/finish", protection: "link", anonymous: 400 },
  { method: "POST", path: "/create-account/finish", protection: "link", anonymous: 403 },
  { method: "GET", path: "/create-account/done", protection: "public", anonymous: 200 },
  { method: "GET", path: "/reset-password", protection: "public", anonymous: 404 },
  { method: "POST", path: "/reset-password", protection: "public", anonymous: 404 },
  { method: "GET", path: "/reset-password/code", protection: "public", anonymous: 303 },
  { method: "POST", path: "/reset-password/code", protection: "link", anonymous: 403 },
  ...["second-factor", "passkey", "recovery-code", "new"].flatMap(
    (page) =>
      [
        { method: "GET", path: `/reset-password/${page}`, protection: "link", anonymous: 400 },
        { method: "POST", path: `/reset-password/${page}`, protection: "link", anonymous: 400 },
      ] as const,
  ),
  { method: "GET", path: "/reset-password/done", protection: "public", anonymous: 200 },
  { method: "GET", path: "/confirm-email", protection: "link", anonymous: 400 },
  { method: "GET", path: "/undo-email-change", protection: "link", anonymous: 400 },
  { method: "POST", path: "/undo-email-change", protection: "link", anonymous: 403 },
  { method: "GET", path: "/account", protection: "session", anonymous: 303 },
  { method: "GET", path: "/account/signed-in", protection: "public", anonymous: 303 },
  { method: "POST", path: "/account/sign-out", protection: "session", anonymous: 303 },
  { method: "GET", path: "/account/profile", protection: "session", anonymous: 303 },
  { method: "POST", path: "/account/profile", protection: "session", anonymous: 303 },
  ...["email", "email/code", "email/confirm"].flatMap(
    (page) =>
      [
        { method: "GET", path: `/account/${page}`, protection: "session", anonymous: 303 },
        { method: "POST", path: `/account/${page}`, protection: "session", anonymous: 303 },
      ] as const,
  ),
  { method: "GET", path: "/account/password", protection: "session", anonymous: 303 },
  { method: "POST", path: "/account/password", protection: "session", anonymous: 303 },
  { method: "GET", path: "/account/methods", protection: "session", anonymous: 303 },
  ...["app", "passkey", "rename", "remove"].flatMap(
    (page) =>
      [
        { method: "GET", path: `/account/methods/${page}`, protection: "session", anonymous: 303 },
        { method: "POST", path: `/account/methods/${page}`, protection: "session", anonymous: 303 },
      ] as const,
  ),
  { method: "GET", path: "/account/recovery-codes", protection: "session", anonymous: 303 },
  { method: "POST", path: "/account/recovery-codes", protection: "session", anonymous: 303 },
  { method: "GET", path: "/account/recovery-codes.txt", protection: "session", anonymous: 303 },
  { method: "POST", path: "/account/recovery-codes/new", protection: "session", anonymous: 303 },
  { method: "GET", path: "/account/devices", protection: "session", anonymous: 303 },
  { method: "POST", path: "/account/devices/end", protection: "session", anonymous: 303 },
  { method: "POST", path: "/account/devices/end-others", protection: "session", anonymous: 303 },
  { method: "GET", path: "/account/apps", protection: "session", anonymous: 303 },
  { method: "POST", path: "/account/apps/withdraw", protection: "session", anonymous: 303 },
  { method: "GET", path: "/account/activity", protection: "session", anonymous: 303 },
  { method: "GET", path: "/account/activity/not-me", protection: "session", anonymous: 303 },
  { method: "GET", path: "/account/data", protection: "session", anonymous: 303 },
  { method: "GET", path: "/account/data.json", protection: "session", anonymous: 303 },
  { method: "GET", path: "/account/delete", protection: "session", anonymous: 303 },
  { method: "POST", path: "/account/delete", protection: "session", anonymous: 303 },
  { method: "GET", path: "/signed-out", protection: "public", anonymous: 200 },

  { method: "GET", path: "/health/live", protection: "public", anonymous: 200 },
  { method: "GET", path: "/health/ready", protection: "public", anonymous: 200 },
  { method: "GET", path: "/assets/latchkey.css", protection: "public", anonymous: 200 },
  { method: "GET", path: "/assets/brand.css", protection: "public", anonymous: 200 },
  { method: "GET", path: "/assets/favicon.svg", protection: "public", anonymous: 200 },
  { method: "GET", path: "/assets/glyph.svg", protection: "public", anonymous: 200 },
  { method: "GET", path: "/assets/passkey.js", protection: "public", anonymous: 200 },
  { method: "GET", path: "/assets/simplewebauthn.js", protection: "public", anonymous: 200 },
];
