import type { Context } from "koa";
import { z } from "zod";
import { fieldMessage, message } from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import { codeTrouble, type FactorPagesDependencies, otherFactors, type Shown } from "./factor-pages.ts";
import type { FormStep, InteractionStep } from "./interaction-steps.ts";
import type { InteractionDependencies } from "./ports.ts";
import { urlsOf } from "./request-pages.ts";
import { isAskedFor } from "./sign-in-chain.ts";

const DAY_SECONDS = 24 * 60 * 60;

export const codeForm = z.object({
  code: z.string(fieldMessage("field.code.missing")).trim().min(1, fieldMessage("field.code.missing")),
  trust: z.literal("1").optional().catch(undefined),
});

export interface AuthenticatorCode {
  readonly show: InteractionStep;
  readonly take: FormStep<z.infer<typeof codeForm>>;
}

type Dependencies = FactorPagesDependencies & Pick<InteractionDependencies, "trustedBrowserSeconds">;

/** The code of an authenticator app. */
export function createAuthenticatorCode(dependencies: Dependencies): AuthenticatorCode {
  const { factors, chain: chains, pages, sources } = dependencies;
  const isTurn = isAskedFor("totp");

  function trustSeconds({ required }: PendingInteraction): number {
    return required.policy === "optional" && !required.isAsked ? dependencies.trustedBrowserSeconds : 0;
  }

  function draw(ctx: Context, interaction: PendingInteraction, shown: Shown): void {
    pages.show(
      ctx,
      { interaction, ...shown },
      {
        template: "second-factor",
        title: message("secondFactor.title"),
        submitUrl: urlsOf(interaction).secondFactor,
        others: otherFactors(interaction, shown.chain, "totp"),
        data: { trustedDays: Math.floor(trustSeconds(interaction) / DAY_SECONDS) },
      },
    );
  }

  return {
    show: chains.page(isTurn, async (ctx, interaction, chain) => draw(ctx, interaction, { chain })),
    take: chains.form(isTurn, async (ctx, interaction, { chain, form }) => {
      if (form.kind === "faulty") {
        return draw(ctx, interaction, { chain, trouble: { status: 400, fieldErrors: form.errors } });
      }
      const { code, trust } = form.values;
      const accountId = chain.account.id;
      const source = await sources.of(ctx, interaction, accountId);
      const outcome = await factors.totp.verify(accountId, { code, source });
      if (outcome.outcome === "accepted") {
        const trustForSeconds = trust === undefined ? undefined : trustSeconds(interaction);
        return chains.prove(ctx, interaction, { accountId, proof: "totp", trustForSeconds });
      }
      const wasUsed = outcome.outcome === "refused" && outcome.wasUsed;
      if (wasUsed && (await pages.sendOvertaken(ctx, interaction))) return;
      draw(ctx, interaction, { chain, trouble: codeTrouble(ctx, outcome, message("field.code.wrong")) });
    }),
  };
}
