import type { EventEmitter } from "node:events";
import type { Context, Middleware } from "koa";
import type { errors, KoaContextWithOIDC, Provider } from "oidc-provider";
import type { Config } from "../config/index.ts";
import { AppError, isAppError } from "../core/index.ts";
import { type Logger, noteFacts } from "../observability/index.ts";
import { asStoreFailure } from "../storage/index.ts";
import { isPublished, protocolRouteOf } from "./protocol-routes.ts";
import { ROUTES } from "./identity.ts";
import type { KeyRing } from "./keys/index.ts";
import { isAboutJwt } from "./structured-tokens.ts";

/** Events by which the library tells of requests that it refused. */
const REFUSALS = [
  "authorization.error",
  "discovery.error",
  "end_session.error",
  "end_session_confirm.error",
  "grant.error",
  "introspection.error",
  "jwks.error",
  "pushed_authorization_request.error",
  "revocation.error",
  "userinfo.error",
] as const;

export interface ResponseRulesDeps {
  readonly config: Pick<Config, "issuer" | "keys">;
  readonly logger: Logger;
  readonly keyRing: Pick<KeyRing, "isConfirmed">;
}

/**
 * What answers of the protocol have to carry, and leave in the log, beyond what the library does.
 *
 * @returns a middleware to stand in front of the protocol, and behind what logs and counts: it decides the status.
 */
export function applyResponseRules(provider: Provider, deps: ResponseRulesDeps): Middleware {
  // We are reached at the issuer's origin, whatever proxies do on the way; URLs and cookies follow from that.
  const protocol = new URL(deps.config.issuer).protocol.slice(0, -1);
  Object.defineProperty(provider.request, "protocol", { get: () => protocol });

  provider.on("server_error", (ctx, thrown) => {
    const error = asStoreFailure(thrown);
    ctx.state["protocolFailure"] = error;
    noteFacts(ctx, { reason: isAppError(error) ? error.code : "server_error" });
    const { name, message, stack } = thrown;
    const detail = isAppError(error) ? error.detail : undefined;
    deps.logger.error(
      { ...describeRequest(ctx), reason: message, detail, cause: { type: name, stack } },
      "request failed",
    );
  });
  for (const event of REFUSALS) {
    // Of so many alike events the types make as many overloads, none of which fits a name that varies.
    (provider as EventEmitter).on(event, (ctx: Context, error: errors.OIDCProviderError) => {
      // To these there is another answer.
      if (isAboutJwt(error)) return;
      if (isAboutSize(ctx, error)) return refuseSize(ctx);
      noteFacts(ctx, { reason: error.error });
      deps.logger.warn({ ...describeRequest(ctx), reason: error.error, detail: error.error_detail }, "request refused");
    });
  }

  return async (ctx, next) => {
    const route = protocolRouteOf(ctx.path);
    if (route !== undefined) noteFacts(ctx, { route });
    await next();
    if (isPublished(ctx.path) && ctx.status === 200) {
      ctx.set("Cache-Control", cachingOf(ctx, deps));
      // The library names the origin that asked, which a shared cache would then tell to the next one.
      ctx.set("Access-Control-Allow-Origin", "*");
    }
    if (ctx.status === 200 && isSignedOutAlready(ctx)) leaveSignedOut(ctx, deps.config.issuer);
    const failure: unknown = ctx.state["protocolFailure"];
    if (isAppError(failure)) answerFailure(ctx, failure);
  };
}

/** Keys that a node shows while it cannot look at the table may be old, and are better than none, but not for keeping. */
function cachingOf({ path }: Context, { config, keyRing }: ResponseRulesDeps): string {
  return path === ROUTES.jwks && !keyRing.isConfirmed() ? "no-cache" : `public, max-age=${config.keys.cacheSeconds}`;
}

/** A sign-out is asked for where nobody is signed in. */
function isSignedOutAlready(ctx: Context): boolean {
  const { route, session } = (ctx as Partial<KoaContextWithOIDC>).oidc ?? {};
  return route === "end_session" && session !== undefined && session.accountId === undefined;
}

/**
 * Goes on at once, as there is nothing to confirm. The library would send a form that submits itself, which needs
 * script, and from which `form-action` lets nobody get to an app on another site.
 */
function leaveSignedOut(ctx: Context, issuer: string): void {
  const { session } = (ctx as KoaContextWithOIDC).oidc;
  const { postLogoutRedirectUri, state } = session?.state ?? {};
  const target = new URL(
    typeof postLogoutRedirectUri === "string" ? postLogoutRedirectUri : `${issuer}${ROUTES.end_session}/success`,
  );
  if (typeof postLogoutRedirectUri === "string" && typeof state === "string") target.searchParams.set("state", state);
  ctx.status = 303;
  ctx.redirect(target.href);
}

/**
 * A body that did not say its length was too large for the library, which answers as if it had been malformed. Which of the
 * two it was is in the message alone.
 */
function isAboutSize(ctx: Context, error: errors.OIDCProviderError): boolean {
  const isOfUnknownLength = ctx.req.headers["transfer-encoding"] !== undefined;
  return isOfUnknownLength && error.error_detail === "request entity too large";
}

function refuseSize(ctx: Context): void {
  const failure = new AppError("BODY_TOO_LARGE");
  ctx.state["protocolFailure"] = failure;
  noteFacts(ctx, { reason: failure.code });
  // What is still under way would be taken for the next request.
  ctx.set("Connection", "close");
}

function describeRequest(ctx: Context) {
  return { requestId: String(ctx.state["requestId"]) };
}

/** A store that is away is 503 with a time to come back, and not the library's 500. */
function answerFailure(ctx: Context, failure: AppError): void {
  const isPage = ctx.type === "text/html";
  ctx.status = failure.status;
  if (failure.retryAfterSeconds !== undefined) ctx.set("Retry-After", String(failure.retryAfterSeconds));
  if (isPage) return;
  ctx.body = { error: oauthErrorOf(failure.status), error_description: failure.sentence };
}

function oauthErrorOf(status: number): string {
  if (status === 503) return "temporarily_unavailable";
  return status < 500 ? "invalid_request" : "server_error";
}

/** What the cookie says of a session. */
export interface SessionInCookie {
  readonly jti: string;
  /** Seconds since the Unix epoch. */
  readonly exp?: number | undefined;
  readonly transient?: boolean | undefined;
}

/** As the library sets it: until the session's end, or of one that is not to be remembered until the browser's. */
export function setSessionCookie(provider: Provider, ctx: Context, { jti, exp, transient }: SessionInCookie): void {
  const expires = transient === true || exp === undefined ? {} : { expires: new Date(exp * 1000) };
  ctx.cookies.set(provider.cookieName("session"), jti, { ...cookieOptions(provider), ...expires });
}

export function clearSessionCookie(provider: Provider, ctx: Context): void {
  ctx.cookies.set(provider.cookieName("session"), null, cookieOptions(provider));
}

function cookieOptions({ issuer }: Provider) {
  const secure = issuer.startsWith("https:");
  return { signed: true, httpOnly: true, sameSite: "lax", path: "/", secure, overwrite: true } as const;
}
