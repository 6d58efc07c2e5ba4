import type { Context } from "koa";
import { z } from "zod";
import { AppError } from "../core/index.ts";
import { seeOther, type SentForm } from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import type { FormStep, InteractionStep } from "./interaction-steps.ts";
import type { InteractionDependencies } from "./ports.ts";
import { type RequestPages, urlsOf } from "./request-pages.ts";

export const consentForm = z.object({ decision: z.enum(["allow", "deny"]) });

type Decision = z.infer<typeof consentForm>;

export interface Consent {
  readonly show: InteractionStep;
  readonly decide: FormStep<Decision>;
  /** "Not you?": the same request, for another account. */
  readonly switchAccount: InteractionStep;
}

type Dependencies = Pick<InteractionDependencies, "interactions" | "accounts">;

/** Asks whether the app may use the account, and takes the answer. */
export function createConsent({ interactions, accounts }: Dependencies, pages: RequestPages): Consent {
  async function switchAccount(ctx: Context, { restartToken }: PendingInteraction): Promise<void> {
    const url = await interactions.restartForAnotherAccount(restartToken);
    if (url === undefined) throw new AppError("INTERACTION_EXPIRED", { detail: "the restart token is too old" });
    seeOther(ctx, url);
  }

  return {
    switchAccount,
    async show(ctx, interaction) {
      const { accountId } = interaction;
      const account = accountId === undefined ? undefined : await accounts.find(accountId);
      // Deleted or disabled since the sign-in: nobody is left who could decide.
      if (account === undefined || account.disabledAt !== undefined) return switchAccount(ctx, interaction);
      pages.showConsent(ctx, interaction, account);
    },
    async decide(ctx, interaction, form: SentForm<Decision>) {
      if (interaction.page !== "consent") return seeOther(ctx, urlsOf(interaction).page);
      if (form.kind === "faulty") throw new AppError("INPUT_INVALID", { detail: "no decision" });
      const isAllowed = form.values.decision === "allow";
      const url = await (isAllowed ? interactions.allow(ctx, interaction) : interactions.deny(ctx, interaction));
      seeOther(ctx, url);
    },
  };
}
