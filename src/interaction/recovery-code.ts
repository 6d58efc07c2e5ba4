import type { Context } from "koa";
import { z } from "zod";
import { fieldMessage, message } from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import { codeTrouble, type FactorPagesDependencies, otherFactors, type Shown } from "./factor-pages.ts";
import type { FormStep, InteractionStep } from "./interaction-steps.ts";
import { urlsOf } from "./request-pages.ts";
import { isAskedFor } from "./sign-in-chain.ts";

export const recoveryCodeForm = z.object({
  code: z.string(fieldMessage("field.recoveryCode.missing")).trim().min(1, fieldMessage("field.recoveryCode.missing")),
});

export interface RecoveryCode {
  readonly show: InteractionStep;
  readonly take: FormStep<z.infer<typeof recoveryCodeForm>>;
  /** How many are left, before the person goes on. */
  readonly showUsed: InteractionStep;
}

/** One of the codes that were saved for when the other factors are out of reach. */
export function createRecoveryCode({ factors, chain: chains, pages, sources }: FactorPagesDependencies): RecoveryCode {
  const isTurn = isAskedFor("recovery_code");

  function draw(ctx: Context, interaction: PendingInteraction, shown: Shown): void {
    pages.show(
      ctx,
      { interaction, ...shown },
      {
        template: "recovery-code",
        title: message("recoveryCode.title"),
        submitUrl: urlsOf(interaction).recoveryCode,
        others: otherFactors(interaction, shown.chain, "recovery_code"),
      },
    );
  }

  return {
    show: chains.page(isTurn, async (ctx, interaction, chain) => draw(ctx, interaction, { chain })),
    take: chains.form(isTurn, async (ctx, interaction, { chain, form }) => {
      if (form.kind === "faulty") {
        return draw(ctx, interaction, { chain, trouble: { status: 400, fieldErrors: form.errors } });
      }
      const accountId = chain.account.id;
      const source = await sources.of(ctx, interaction, accountId);
      const outcome = await factors.recoveryCodes.verify(accountId, { ...form.values, source });
      if (outcome.outcome === "accepted") return chains.prove(ctx, interaction, { accountId, proof: "recovery_code" });
      const wasUsed = outcome.outcome === "refused" && outcome.wasUsed;
      if (wasUsed && (await pages.sendOvertaken(ctx, interaction))) return;
      draw(ctx, interaction, { chain, trouble: codeTrouble(ctx, outcome, message("field.recoveryCode.wrong")) });
    }),
    showUsed: chains.page(
      ({ step }) => step === "complete",
      async (ctx, interaction, chain) => {
        // Also where codes were to be saved and were not in time: there is nothing to say about them.
        if (chain.progress.proofs.at(-1) !== "recovery_code") return chains.goOn(ctx, interaction);
        pages.show(
          ctx,
          { interaction, chain },
          {
            template: "recovery-used",
            title: message("recoveryUsed.title"),
            submitUrl: urlsOf(interaction).recoveryUsed,
            others: [],
            data: { left: chain.factors.recoveryCodes?.left ?? 0 },
          },
        );
      },
    ),
  };
}
