import type { Middleware } from "koa";
import { z } from "zod";
import { AppError } from "../core/index.ts";
import { codeFromMailForm, createRoutes, type RouteStep, seeOther } from "../http/index.ts";
import { consentForm, createConsent } from "./consent.ts";
import { createAccountForm, createRegistration } from "./create-account.ts";
import { createAccountByMail, emailForm, ensureByMail, newcomerForm } from "./create-account-by-mail.ts";
import { createExpiredPage } from "./expired-page.ts";
import { codeForm, createAuthenticatorCode } from "./authenticator-code.ts";
import { createAppEnrollment, newAppForm } from "./enroll-app.ts";
import { createPasskeyEnrollment, newPasskeyForm } from "./enroll-passkey.ts";
import { createFactorPages, type FactorPagesDependencies } from "./factor-pages.ts";
import { createFactorSources } from "./factor-sources.ts";
import {
  createInteractionSteps,
  type InteractionStep,
  type InteractionSteps,
  restartTokenOf,
} from "./interaction-steps.ts";
import { createPasskeySignIn, passkeyForm } from "./passkey.ts";
import type { InteractionDependencies } from "./ports.ts";
import { createProveEmail, proveEmailForm } from "./prove-email.ts";
import { createRecoveryCodePages, savedForm } from "./recovery-codes.ts";
import { createRequestPages, type RequestPages, urlsOf } from "./request-pages.ts";
import { createRecoveryCode, recoveryCodeForm } from "./recovery-code.ts";
import { createSignIn, signInForm } from "./sign-in.ts";
import { createSignInChain, mayDecline, type SignInChain } from "./sign-in-chain.ts";

/** Every route of this folder; a test fails when the security table does not list one. */
export const INTERACTION_ROUTES = [
  "GET /interaction/restart",
  "GET /interaction/:uid",
  "GET /interaction/:uid/sign-in",
  "POST /interaction/:uid/sign-in",
  "GET /interaction/:uid/create-account",
  "POST /interaction/:uid/create-account",
  "GET /interaction/:uid/confirm-email",
  "POST /interaction/:uid/confirm-email",
  "GET /interaction/:uid/new-account",
  "POST /interaction/:uid/new-account",
  "GET /interaction/:uid/prove-email",
  "POST /interaction/:uid/prove-email",
  "GET /interaction/:uid/passkey",
  "POST /interaction/:uid/passkey",
  "GET /interaction/:uid/second-factor",
  "POST /interaction/:uid/second-factor",
  "GET /interaction/:uid/recovery-code",
  "POST /interaction/:uid/recovery-code",
  "GET /interaction/:uid/recovery-used",
  "POST /interaction/:uid/recovery-used",
  "GET /interaction/:uid/enroll-app",
  "POST /interaction/:uid/enroll-app",
  "GET /interaction/:uid/enroll-passkey",
  "POST /interaction/:uid/enroll-passkey",
  "GET /interaction/:uid/recovery-codes",
  "POST /interaction/:uid/recovery-codes",
  "GET /interaction/:uid/recovery-codes.txt",
  "GET /interaction/:uid/decline",
  "POST /interaction/:uid/decline",
  "GET /interaction/:uid/consent",
  "POST /interaction/:uid/consent",
  "GET /interaction/:uid/switch",
  "POST /interaction/:uid/switch",
] as const;

type InteractionRoute = (typeof INTERACTION_ROUTES)[number];

/** The pages inside an authorization request, under `/interaction/`. */
export function createInteractionRoutes(dependencies: InteractionDependencies): Middleware {
  const { interactions, registration } = dependencies;
  const requestPages = createRequestPages(dependencies);
  const consent = createConsent(dependencies, requestPages);
  const { page, form } = createInteractionSteps(dependencies);
  const showExpired = createExpiredPage(dependencies);
  const chain = createSignInChain(dependencies);
  const shared = {
    ...dependencies,
    chain,
    pages: createFactorPages(dependencies),
    sources: createFactorSources(dependencies),
  };

  const showSignIn: InteractionStep = (ctx, interaction) => requestPages.showSignIn(ctx, interaction);

  const showCreateAccount: InteractionStep = async (ctx, interaction) => {
    ensureOpen(registration);
    requestPages.showCreateAccount(ctx, interaction);
  };

  /** Where the request is now: in the midst of a chain of proofs, or at one of its ends. */
  const showPage: InteractionStep = async (ctx, interaction) => {
    if (interaction.page === "consent") return consent.show(ctx, interaction);
    if (interaction.progress !== undefined) return chain.resume(ctx, interaction);
    const isRegistration = interaction.page === "create-account" && registration === "open";
    await (isRegistration ? showCreateAccount : showSignIn)(ctx, interaction);
  };

  const restart: RouteStep = async (ctx) => {
    const token = restartTokenOf(ctx);
    const found = token === undefined ? undefined : await interactions.readRestart(token);
    if (found === undefined) return showExpired(ctx, undefined, 404);
    seeOther(ctx, found.url);
  };

  const decline: InteractionStep = async (ctx, interaction) => {
    const mayGo = mayDecline(interaction) && (await chain.find(ctx, interaction)) !== undefined;
    seeOther(ctx, mayGo ? await interactions.refuseAssurance(ctx, interaction) : urlsOf(interaction).page);
  };

  const signIn = createSignIn(shared, requestPages);

  return createRoutes({
    "GET /interaction/restart": restart,
    "GET /interaction/:uid": page(showPage),
    "GET /interaction/:uid/sign-in": page(beforeConsent(showSignIn)),
    "POST /interaction/:uid/sign-in": form(signInForm, beforeConsent(signIn)),
    "GET /interaction/:uid/create-account": page(beforeConsent(showCreateAccount)),
    ...createRegistrationRoutes({ page, form }, { ...shared, requestPages }),
    ...createFactorRoutes({ page, form }, shared),
    "GET /interaction/:uid/decline": page(backToPage),
    "POST /interaction/:uid/decline": form(z.object({}), beforeConsent(decline)),
    "GET /interaction/:uid/consent": page(backToPage),
    "POST /interaction/:uid/consent": form(consentForm, consent.decide),
    "GET /interaction/:uid/switch": page(backToPage),
    "POST /interaction/:uid/switch": form(z.object({}), consent.switchAccount),
  } satisfies Record<InteractionRoute, RouteStep>);
}

type RegistrationDependencies = InteractionDependencies & {
  readonly chain: SignInChain;
  readonly requestPages: RequestPages;
};

/** Creating an account: in one step, or with the address proved first. */
function createRegistrationRoutes({ page, form }: InteractionSteps, dependencies: RegistrationDependencies) {
  const { registration, verifiesEmail, requestPages } = dependencies;
  const register = createRegistration(dependencies, requestPages);
  const byMail = createAccountByMail(dependencies, requestPages);
  const whileByMail = <Rest extends readonly unknown[]>(step: StepWith<Rest>): StepWith<Rest> =>
    beforeConsent(async (...call) => {
      ensureByMail(verifiesEmail);
      ensureOpen(registration);
      await step(...call);
    });
  return {
    "POST /interaction/:uid/create-account": verifiesEmail
      ? form(emailForm, whileByMail(byMail.sendMail))
      : form(
          createAccountForm,
          beforeConsent(async (ctx, interaction, sent) => {
            ensureOpen(registration);
            await register(ctx, interaction, sent);
          }),
        ),
    "GET /interaction/:uid/confirm-email": page(whileByMail(byMail.showCode)),
    "POST /interaction/:uid/confirm-email": form(codeFromMailForm, whileByMail(byMail.takeCode)),
    "GET /interaction/:uid/new-account": page(whileByMail(byMail.showNewcomer)),
    "POST /interaction/:uid/new-account": form(newcomerForm, whileByMail(byMail.create)),
  } as const;
}

type FactorRoutesDependencies = FactorPagesDependencies & InteractionDependencies;

/** The pages of a chain of proofs; each is shown at its turn only. */
function createFactorRoutes({ page, form }: InteractionSteps, dependencies: FactorRoutesDependencies) {
  const passkey = createPasskeySignIn(dependencies);
  const code = createAuthenticatorCode(dependencies);
  const recoveryCode = createRecoveryCode(dependencies);
  const newApp = createAppEnrollment(dependencies);
  const newPasskey = createPasskeyEnrollment(dependencies);
  const recoveryCodes = createRecoveryCodePages(dependencies);
  const proveEmail = createProveEmail(dependencies);
  const goOn: InteractionStep = (ctx, interaction) => dependencies.chain.goOn(ctx, interaction);
  return {
    "GET /interaction/:uid/passkey": page(beforeConsent(passkey.show)),
    "POST /interaction/:uid/passkey": form(passkeyForm, beforeConsent(passkey.take)),
    "GET /interaction/:uid/second-factor": page(beforeConsent(code.show)),
    "POST /interaction/:uid/second-factor": form(codeForm, beforeConsent(code.take)),
    "GET /interaction/:uid/recovery-code": page(beforeConsent(recoveryCode.show)),
    "POST /interaction/:uid/recovery-code": form(recoveryCodeForm, beforeConsent(recoveryCode.take)),
    "GET /interaction/:uid/recovery-used": page(beforeConsent(recoveryCode.showUsed)),
    "POST /interaction/:uid/recovery-used": form(z.object({}), beforeConsent(goOn)),
    "GET /interaction/:uid/enroll-app": page(beforeConsent(newApp.show)),
    "POST /interaction/:uid/enroll-app": form(newAppForm, beforeConsent(newApp.take)),
    "GET /interaction/:uid/enroll-passkey": page(beforeConsent(newPasskey.show)),
    "POST /interaction/:uid/enroll-passkey": form(newPasskeyForm, beforeConsent(newPasskey.take)),
    "GET /interaction/:uid/recovery-codes": page(beforeConsent(recoveryCodes.show)),
    "POST /interaction/:uid/recovery-codes": form(savedForm, beforeConsent(recoveryCodes.confirm)),
    "GET /interaction/:uid/recovery-codes.txt": page(beforeConsent(recoveryCodes.download)),
    "GET /interaction/:uid/prove-email": page(beforeConsent(proveEmail.show)),
    "POST /interaction/:uid/prove-email": form(proveEmailForm, beforeConsent(proveEmail.take)),
  } as const;
}

type StepWith<Rest extends readonly unknown[]> = (...call: [...Parameters<InteractionStep>, ...Rest]) => Promise<void>;

const backToPage: InteractionStep = async (ctx, interaction) => seeOther(ctx, urlsOf(interaction).page);

/** Once someone is signed in, going back to an earlier page leads on to where the request is now. */
function beforeConsent<Rest extends readonly unknown[]>(step: StepWith<Rest>): StepWith<Rest> {
  return (ctx, interaction, ...rest) =>
    interaction.page === "consent" ? backToPage(ctx, interaction) : step(ctx, interaction, ...rest);
}

function ensureOpen(registration: InteractionDependencies["registration"]): void {
  if (registration !== "open") throw new AppError("PAGE_NOT_FOUND", { detail: "registration is not open" });
}
