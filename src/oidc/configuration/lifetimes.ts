import type { Client, Configuration } from "oidc-provider";
import type { Config } from "../../config/index.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

export const ACCESS_TOKEN_SECONDS = 5 * MINUTE;
export const INTERACTION_SECONDS = HOUR;
export const ID_TOKEN_SECONDS = 10 * MINUTE;

export type RefreshLimits = Pick<Config, "refresh" | "session">;

/**
 * How long anything may hang on one sign-in: an offline grant that was given at the very end of its session is last. The
 * session begins when the browser comes back from the page where the person proved who they are.
 */
export function signInSecondsMax({ refresh, session }: RefreshLimits): number {
  return INTERACTION_SECONDS + 2 * session.maxSeconds + refresh.maxSeconds;
}

/**
 * How long a refresh token lives from now: until it is idle for too long, and in any case until its chain, counted from
 * the sign-in that it came from, is too old (ASVS 10.4.8). A client may have less than the deployment, never more.
 * What hangs on the session ends with it, however long it could have been used.
 */
export function refreshTokenSeconds(
  { refresh, session }: RefreshLimits,
  of: { readonly token: RefreshTokenTimes; readonly client: Client | undefined; readonly now: number },
): number {
  const { token, client, now } = of;
  const limit = isOffline(token.scope) ? Number.MAX_SAFE_INTEGER : session.maxSeconds;
  const max = Math.min(secondsOf(client?.["refresh_max_seconds"]) ?? limit, refresh.maxSeconds, limit);
  const idle = Math.min(secondsOf(client?.["refresh_idle_seconds"]) ?? refresh.idleSeconds, max);
  return Math.max(1, Math.min(now + idle, (token.iiat ?? now) + max) - now);
}

interface RefreshTokenTimes {
  readonly scope?: string | undefined;
  /** When the first of its chain was issued. */
  readonly iiat?: number | undefined;
}

function isOffline(scope: string | undefined): boolean {
  return scope?.split(" ").includes("offline_access") ?? false;
}

function secondsOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** When a session that began then ends if it is used now. All in seconds since the Unix epoch. */
export function sessionEndAt(session: Config["session"], begunAt: number, now: number): number {
  return Math.min(now + session.idleSeconds, begunAt + session.maxSeconds);
}

export function lifetimes(config: Config, nowSeconds: () => number): NonNullable<Configuration["ttl"]> {
  const { refresh, session } = config;
  return {
    AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? ACCESS_TOKEN_SECONDS,
    ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? ACCESS_TOKEN_SECONDS,
    AuthorizationCode: MINUTE,
    IdToken: ID_TOKEN_SECONDS,
    Interaction: INTERACTION_SECONDS,
    // Its session can get another chain from the same grant until the session ends.
    Grant: (_ctx, grant) => session.maxSeconds + (isOffline(grant.openid?.scope) ? refresh.maxSeconds : 0),
    RefreshToken: (_ctx, token, client) => refreshTokenSeconds(config, { token, client, now: nowSeconds() }),
    Session(_ctx, current) {
      const now = nowSeconds();
      return Math.max(1, sessionEndAt(session, current.iat ?? now, now) - now);
    },
  };
}
