import type { Context } from "koa";
import type { z } from "zod";
import type { Account } from "../accounts/index.ts";
import { AppError, isAppError } from "../core/index.ts";
import {
  type CodeFromMail,
  codeFromMailTrouble,
  type FormTrouble,
  message,
  queryText,
  seeOther,
  troubleOfLimits,
} from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import { createAccountForm, troubleOfFields } from "./create-account.ts";
import type { FormStep, InteractionStep } from "./interaction-steps.ts";
import type { InteractionDependencies } from "./ports.ts";
import { type RequestPages, urlsOf } from "./request-pages.ts";
import { sourceOf } from "./request-source.ts";
import type { SignInChain } from "./sign-in-chain.ts";

export const emailForm = createAccountForm.pick({ email: true });
export const newcomerForm = createAccountForm.pick({ name: true, password: true });

type Dependencies = Pick<InteractionDependencies, "accounts" | "views" | "clientAddress"> & {
  readonly chain: SignInChain;
};

/** Creating an account where the address is proved first: the address, the code from the mail, then name and password. */
export interface AccountByMail {
  readonly sendMail: FormStep<z.infer<typeof emailForm>>;
  readonly showCode: InteractionStep;
  readonly takeCode: FormStep<CodeFromMail>;
  readonly showNewcomer: InteractionStep;
  readonly create: FormStep<z.infer<typeof newcomerForm>>;
}

export function createAccountByMail(dependencies: Dependencies, pages: RequestPages): AccountByMail {
  const { accounts, views, clientAddress, chain } = dependencies;
  const { registration } = accounts.byMail;

  async function drawCode(ctx: Context, interaction: PendingInteraction, trouble?: FormTrouble): Promise<void> {
    const pending = await accounts.byMail.findPending(queryText(ctx, "id"), ["registration"]);
    if (pending === undefined) return seeOther(ctx, urlsOf(interaction).createAccount);
    pages.showMailCode(ctx, interaction, { email: pending.email, id: queryText(ctx, "id"), trouble });
  }

  async function drawNewcomer(ctx: Context, interaction: PendingInteraction, trouble?: FormTrouble): Promise<void> {
    const token = queryText(ctx, "token");
    const { email } = await registration.find(token);
    pages.showNewcomer(ctx, interaction, { email, token, trouble });
  }

  /** Of whoever fills in a form here. */
  function personAt(ctx: Context, { uiLocales }: PendingInteraction) {
    return { locale: views.localeFor(ctx, uiLocales), source: sourceOf(ctx, clientAddress) };
  }

  return {
    async sendMail(ctx, interaction, form) {
      const { typed } = form;
      if (form.kind === "faulty") {
        return pages.showCreateAccount(ctx, interaction, { status: 400, fieldErrors: form.errors, typed });
      }
      try {
        const { uid: interactionUid, restartToken } = interaction;
        const asked = { ...form.values, ...personAt(ctx, interaction), origin: { interactionUid, restartToken } };
        const id = await registration.begin(asked);
        seeOther(ctx, `${urlsOf(interaction).confirmEmail}&id=${id}`);
      } catch (error) {
        const trouble = troubleOfLimits(ctx, error) ?? troubleOfFields(error);
        if (trouble === undefined) throw error;
        pages.showCreateAccount(ctx, interaction, { ...trouble, typed });
      }
    },
    showCode: drawCode,
    async takeCode(ctx, interaction, form) {
      if (form.kind === "faulty") {
        return drawCode(ctx, interaction, { status: 400, fieldErrors: form.errors, typed: {} });
      }
      const attempt = { id: queryText(ctx, "id"), purposes: ["registration"], code: form.values.code } as const;
      const outcome = await accounts.byMail.takeCode({ ...attempt, source: sourceOf(ctx, clientAddress) });
      if (outcome.outcome !== "accepted") {
        return drawCode(ctx, interaction, { ...codeFromMailTrouble(ctx, outcome), typed: {} });
      }
      seeOther(ctx, `${urlsOf(interaction).newAccount}&token=${encodeURIComponent(outcome.token)}`);
    },
    showNewcomer: drawNewcomer,
    async create(ctx, interaction, form) {
      const { typed } = form;
      if (form.kind === "faulty") {
        return drawNewcomer(ctx, interaction, { status: 400, fieldErrors: form.errors, typed });
      }
      let account: Account;
      try {
        const newcomer = { ...form.values, ...personAt(ctx, interaction) };
        account = await registration.complete(queryText(ctx, "token"), newcomer);
      } catch (error) {
        // By now there is one with this address, and whoever is here reads its mail: there is nothing to keep from them.
        if (isAppError(error, "ACCOUNT_EMAIL_TAKEN")) {
          return pages.showSignIn(ctx, interaction, { status: 409, alert: message("newAccount.taken"), typed: {} });
        }
        const trouble = troubleOfLimits(ctx, error) ?? troubleOfFields(error);
        if (trouble === undefined) throw error;
        return drawNewcomer(ctx, interaction, { ...trouble, typed });
      }
      await chain.prove(ctx, interaction, { accountId: account.id, proof: "password" });
    },
  };
}

/** @throws AppError PAGE_NOT_FOUND */
export function ensureByMail(isNeeded: boolean): void {
  if (!isNeeded) throw new AppError("PAGE_NOT_FOUND", { detail: "accounts are created without a mail" });
}
