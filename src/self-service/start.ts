import type { Context } from "koa";
import { z } from "zod";
import { AppError } from "../core/index.ts";
import { failureText, message, readForm, type RouteStep, seeOther, type Way } from "../http/index.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import { knownAccountPage } from "./routes.ts";

const emptyForm = z.object({});
const TO_START: Way = { label: message("way.toStart"), href: "/" };

/** The pages for whoever is not signed in yet, or no longer. */
export function createStartPages(dependencies: SelfServiceDependencies) {
  const { browserSessions, views, failurePages, csrf, registration, mode, hasMailbox, demoUrl } = dependencies;

  const showStart: RouteStep = async (ctx) => {
    const data = {
      isTrial: mode === "embedded",
      hasDemo: demoUrl !== undefined,
      hasMailbox,
      ways: startWays(dependencies),
    };
    views.render(ctx, "start", { title: message("start.title"), data });
  };

  const signIn: RouteStep = async (ctx) => seeOther(ctx, browserSessions.signInUrl("sign-in"));

  const createAccount: RouteStep = async (ctx) => {
    if (registration === "closed") throw new AppError("PAGE_NOT_FOUND", { detail: "registration is closed" });
    if (registration === "invitation") return showByInvitation(ctx);
    seeOther(ctx, browserSessions.signInUrl("create-account"));
  };

  function showByInvitation(ctx: Context): void {
    const data = { ways: [TO_START], lede: message("createAccount.closed.text") };
    views.render(ctx, "done", { title: message("createAccount.closed.title"), data });
  }

  /** The redirect URI of our own client. The session is what we came for; the code is left to expire. */
  const returnSignedIn: RouteStep = async (ctx) => {
    const { error, state } = ctx.query;
    const page = knownAccountPage(state);
    if (error === undefined) return seeOther(ctx, page);
    const ways = [{ label: message("way.tryAgain"), href: page }, TO_START];
    // The parameter is whatever a link says, so that only a plain code of the protocol reaches the log.
    const reason = typeof error === "string" && /^[a-z_]{1,40}$/.test(error) ? error : "INPUT_INVALID";
    failurePages.show(ctx, { ...failureText("denied"), status: 400, reason, ways });
  };

  const signOut: RouteStep = async (ctx) => {
    const { typed } = await readForm(ctx, emptyForm);
    const session = await browserSessions.find(ctx);
    if (session !== undefined) {
      csrf.check(ctx, session.sessionId, typed["csrf"]);
      await browserSessions.end(ctx);
    }
    seeOther(ctx, "/signed-out");
  };

  const showSignedOut: RouteStep = async (ctx) => {
    const isDeleted = ctx.query["done"] === "account-deleted";
    const again = { label: message("signedOut.signInAgain"), href: "/sign-in" };
    const data = { isDeleted, ways: isDeleted ? [TO_START] : [again, TO_START] };
    const title = isDeleted ? message("signedOut.deleted.title") : message("signedOut.title");
    views.render(ctx, "signed-out", { title, data });
  };

  return { showStart, signIn, createAccount, returnSignedIn, signOut, showSignedOut };
}

function startWays({ demoUrl, registration }: SelfServiceDependencies): readonly Way[] {
  const demo = demoUrl === undefined ? [] : [{ label: message("start.demo"), href: demoUrl }];
  const register = registration === "open" ? [{ label: message("start.createAccount"), href: "/create-account" }] : [];
  return [...demo, { label: message("start.account"), href: "/account" }, ...register];
}
