import type { Context, Middleware } from "koa";
import { z } from "zod";
import type { Accounts } from "../accounts/index.ts";
import { AppError } from "../core/index.ts";
import {
  createRoutes,
  type Csrf,
  type FailurePages,
  failureText,
  initialsOf,
  message,
  readForm,
  type RouteStep,
  seeOther,
  type Views,
  type Way,
} from "../http/index.ts";
import type { BrowserSessions } from "../oidc/index.ts";

/** Every route of this folder; a test fails when the security table does not list one. */
export const SELF_SERVICE_ROUTES = [
  "GET /",
  "GET /sign-in",
  "GET /create-account",
  "GET /account",
  "GET /account/signed-in",
  "POST /account/sign-out",
  "GET /signed-out",
] as const;

type SelfServiceRoute = (typeof SELF_SERVICE_ROUTES)[number];

export interface SelfServiceDependencies {
  readonly sessions: BrowserSessions;
  readonly accounts: Pick<Accounts, "find">;
  readonly views: Views;
  readonly failurePages: FailurePages;
  readonly csrf: Csrf;
  /** Whether people may create accounts by themselves. */
  readonly registration: "open" | "closed";
  /** `embedded` is the trial mode, and the start page says so. */
  readonly mode: "embedded" | "production";
  /** Address of the demo app, where one is served. */
  readonly demoUrl: string | undefined;
}

const emptyForm = z.object({});

/** The pages outside an authorization request: the start page, the account page and signing out. */
export function createSelfServiceRoutes(dependencies: SelfServiceDependencies): Middleware {
  const { sessions, accounts, views, failurePages, csrf, registration, mode, demoUrl } = dependencies;

  const showStart: RouteStep = async (ctx) => {
    const data = { isTrial: mode === "embedded", hasDemo: demoUrl !== undefined, ways: startWays(dependencies) };
    views.render(ctx, "start", { title: message("start.title"), data });
  };

  const createAccount: RouteStep = async (ctx) => {
    if (registration === "closed") throw new AppError("PAGE_NOT_FOUND", { detail: "registration is closed" });
    seeOther(ctx, sessions.signInUrl("create-account"));
  };

  const showAccount: RouteStep = async (ctx) => {
    const session = await sessions.find(ctx);
    if (session === undefined) return seeOther(ctx, sessions.signInUrl("sign-in"));
    const account = await accounts.find(session.accountId);
    if (account === undefined || account.disabledAt !== undefined) return endSession(ctx);
    const { name, email } = account;
    const data = { name, email, initials: initialsOf(name), hidden: { csrf: csrf.token(session.sessionId) } };
    views.render(ctx, "account", { title: message("account.title"), data });
  };

  /** A session whose account is gone or disabled must not live on, nor send the person round in circles. */
  async function endSession(ctx: Context): Promise<void> {
    await sessions.end(ctx);
    seeOther(ctx, "/signed-out");
  }

  /** The redirect URI of our own client. The session is what we came for; the code is left to expire. */
  const returnSignedIn: RouteStep = async (ctx) => {
    const { error } = ctx.query;
    if (error === undefined) return seeOther(ctx, "/account");
    const ways = [{ label: message("way.tryAgain"), href: "/account" }, TO_START];
    // The parameter is whatever a link says, so that only a plain code of the protocol reaches the log.
    const reason = typeof error === "string" && /^[a-z_]{1,40}$/.test(error) ? error : "INPUT_INVALID";
    failurePages.show(ctx, { ...failureText("denied"), status: 400, reason, ways });
  };

  const signOut: RouteStep = async (ctx) => {
    const { typed } = await readForm(ctx, emptyForm);
    const session = await sessions.find(ctx);
    if (session !== undefined) {
      csrf.check(ctx, session.sessionId, typed["csrf"]);
      await sessions.end(ctx);
    }
    seeOther(ctx, "/signed-out");
  };

  const showSignedOut: RouteStep = async (ctx) => {
    const ways = [{ label: message("signedOut.signInAgain"), href: "/sign-in" }, TO_START];
    views.render(ctx, "signed-out", { title: message("signedOut.title"), data: { ways } });
  };

  return createRoutes({
    "GET /": showStart,
    "GET /sign-in": async (ctx) => seeOther(ctx, sessions.signInUrl("sign-in")),
    "GET /create-account": createAccount,
    "GET /account": showAccount,
    "GET /account/signed-in": returnSignedIn,
    "POST /account/sign-out": signOut,
    "GET /signed-out": showSignedOut,
  } satisfies Record<SelfServiceRoute, RouteStep>);
}

const TO_START: Way = { label: message("way.toStart"), href: "/" };

function startWays({ demoUrl, registration }: SelfServiceDependencies): readonly Way[] {
  const demo = demoUrl === undefined ? [] : [{ label: message("start.demo"), href: demoUrl }];
  const register = registration === "open" ? [{ label: message("start.createAccount"), href: "/create-account" }] : [];
  return [...demo, { label: message("start.account"), href: "/account" }, ...register];
}
