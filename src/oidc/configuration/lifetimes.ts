import type { Configuration } from "oidc-provider";
import type { Config } from "../../config/index.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const ACCESS_TOKEN_SECONDS = 5 * MINUTE;
export const INTERACTION_SECONDS = HOUR;
/** With `offline_access`: a chain of refresh tokens ends when it is idle this long … */
const OFFLINE_IDLE_SECONDS = 30 * DAY;
/** … and in any case after this (ASVS 10.4.8). */
export const OFFLINE_MAX_SECONDS = 90 * DAY;

/** When a session that began then ends if it is used now. All in seconds since the Unix epoch. */
export function sessionEndAt(session: Config["session"], begunAt: number, now: number): number {
  return Math.min(now + session.idleSeconds, begunAt + session.maxSeconds);
}

export function lifetimes(config: Config, nowSeconds: () => number): NonNullable<Configuration["ttl"]> {
  const { session } = config;
  const isOffline = (scope: string | undefined): boolean => scope?.split(" ").includes("offline_access") ?? false;
  return {
    AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? ACCESS_TOKEN_SECONDS,
    ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? ACCESS_TOKEN_SECONDS,
    AuthorizationCode: MINUTE,
    IdToken: 10 * MINUTE,
    Interaction: INTERACTION_SECONDS,
    Grant: (_ctx, grant) => (isOffline(grant.openid?.scope) ? OFFLINE_MAX_SECONDS : session.maxSeconds),
    RefreshToken(_ctx, token) {
      const limit = isOffline(token.scope)
        ? { idle: OFFLINE_IDLE_SECONDS, max: OFFLINE_MAX_SECONDS }
        : { idle: session.maxSeconds, max: session.maxSeconds };
      const endsAt = Math.min(nowSeconds() + limit.idle, (token.iiat ?? nowSeconds()) + limit.max);
      return Math.max(1, endsAt - nowSeconds());
    },
    Session(_ctx, current) {
      const now = nowSeconds();
      return Math.max(1, sessionEndAt(session, current.iat ?? now, now) - now);
    },
  };
}
