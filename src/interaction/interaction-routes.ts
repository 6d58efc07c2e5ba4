import type { Middleware } from "koa";
import { z } from "zod";
import { AppError } from "../core/index.ts";
import { createRoutes, type RouteStep, seeOther } from "../http/index.ts";
import { consentForm, createConsent } from "./consent.ts";
import { createAccountForm, createRegistration } from "./create-account.ts";
import { createExpiredPage } from "./expired-page.ts";
import { createInteractionSteps, type InteractionStep, restartTokenOf } from "./interaction-steps.ts";
import type { InteractionDependencies } from "./ports.ts";
import { createRequestPages, urlsOf } from "./request-pages.ts";
import { createSignIn, signInForm } from "./sign-in.ts";

/** Every route of this folder; a test fails when the security table does not list one. */
export const INTERACTION_ROUTES = [
  "GET /interaction/restart",
  "GET /interaction/:uid",
  "GET /interaction/:uid/sign-in",
  "POST /interaction/:uid/sign-in",
  "GET /interaction/:uid/create-account",
  "POST /interaction/:uid/create-account",
  "GET /interaction/:uid/consent",
  "POST /interaction/:uid/consent",
  "GET /interaction/:uid/switch",
  "POST /interaction/:uid/switch",
] as const;

type InteractionRoute = (typeof INTERACTION_ROUTES)[number];

/** The pages inside an authorization request, under `/interaction/`. */
export function createInteractionRoutes(dependencies: InteractionDependencies): Middleware {
  const { interactions, registration } = dependencies;
  const pages = createRequestPages(dependencies);
  const consent = createConsent(dependencies, pages);
  const { page, form } = createInteractionSteps(dependencies);
  const showExpired = createExpiredPage(dependencies);

  const showSignIn: InteractionStep = (ctx, interaction) => pages.showSignIn(ctx, interaction);

  const showCreateAccount: InteractionStep = async (ctx, interaction) => {
    ensureOpen(registration);
    pages.showCreateAccount(ctx, interaction);
  };

  const showPage: InteractionStep = async (ctx, interaction) => {
    if (interaction.page === "consent") return consent.show(ctx, interaction);
    const isRegistration = interaction.page === "create-account" && registration === "open";
    await (isRegistration ? showCreateAccount : showSignIn)(ctx, interaction);
  };

  const restart: RouteStep = async (ctx) => {
    const token = restartTokenOf(ctx);
    const found = token === undefined ? undefined : await interactions.readRestart(token);
    if (found === undefined) return showExpired(ctx, undefined, 404);
    seeOther(ctx, found.url);
  };

  const signIn = createSignIn(dependencies, pages);
  const register = createRegistration(dependencies, pages);

  return createRoutes({
    "GET /interaction/restart": restart,
    "GET /interaction/:uid": page(showPage),
    "GET /interaction/:uid/sign-in": page(beforeConsent(showSignIn)),
    "POST /interaction/:uid/sign-in": form(signInForm, beforeConsent(signIn)),
    "GET /interaction/:uid/create-account": page(beforeConsent(showCreateAccount)),
    "POST /interaction/:uid/create-account": form(createAccountForm, async (ctx, interaction, sent) => {
      ensureOpen(registration);
      await beforeConsent(register)(ctx, interaction, sent);
    }),
    "GET /interaction/:uid/consent": page(backToPage),
    "POST /interaction/:uid/consent": form(consentForm, consent.decide),
    "GET /interaction/:uid/switch": page(backToPage),
    "POST /interaction/:uid/switch": form(z.object({}), consent.switchAccount),
  } satisfies Record<InteractionRoute, RouteStep>);
}

type StepWith<Rest extends readonly unknown[]> = (...call: [...Parameters<InteractionStep>, ...Rest]) => Promise<void>;

const backToPage: InteractionStep = async (ctx, interaction) => seeOther(ctx, urlsOf(interaction).page);

/** Once someone is signed in, going back to an earlier page leads on to where the request is now. */
function beforeConsent<Rest extends readonly unknown[]>(step: StepWith<Rest>): StepWith<Rest> {
  return (ctx, interaction, ...rest) =>
    interaction.page === "consent" ? backToPage(ctx, interaction) : step(ctx, interaction, ...rest);
}

function ensureOpen(registration: InteractionDependencies["registration"]): void {
  if (registration === "closed") throw new AppError("PAGE_NOT_FOUND", { detail: "registration is closed" });
}
