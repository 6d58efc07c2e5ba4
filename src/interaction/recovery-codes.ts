import type { Context } from "koa";
import { z } from "zod";
import { answerTextFile, fieldMessage, message } from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import type { Turn } from "./chain-state.ts";
import type { FactorPagesDependencies, Shown } from "./factor-pages.ts";
import type { FormStep, InteractionStep } from "./interaction-steps.ts";
import { urlsOf } from "./request-pages.ts";

export const savedForm = z.object({ saved: z.literal("1", fieldMessage("field.saved.missing")) });

export interface RecoveryCodePages {
  readonly show: InteractionStep;
  /** As a text file, to keep or to print. */
  readonly download: InteractionStep;
  readonly confirm: FormStep<z.infer<typeof savedForm>>;
}

const isTurn = ({ step }: Turn): boolean => step === "save-codes";

/** The codes that came with the first factor: shown until the person says that they are saved. */
export function createRecoveryCodePages({ factors, chain: chains, pages }: FactorPagesDependencies): RecoveryCodePages {
  async function draw(ctx: Context, interaction: PendingInteraction, shown: Shown): Promise<void> {
    const { account, factors: overview } = shown.chain;
    const urls = urlsOf(interaction);
    pages.show(
      ctx,
      { interaction, ...shown },
      {
        template: "recovery-codes",
        title: message("recoveryCodes.title"),
        submitUrl: urls.recoveryCodes,
        others: [],
        data: {
          codes: (await factors.recoveryCodes.reveal(account.id)) ?? [],
          madeOn: overview.recoveryCodes?.madeAt ?? new Date(0),
          urls: {
            submit: urls.recoveryCodes,
            download: urls.recoveryCodesFile,
            print: `${urls.recoveryCodesFile}&print=1`,
          },
        },
      },
    );
  }

  return {
    show: chains.page(isTurn, (ctx, interaction, chain) => draw(ctx, interaction, { chain })),
    download: chains.page(isTurn, async (ctx, _interaction, chain) => {
      const codes = (await factors.recoveryCodes.reveal(chain.account.id)) ?? [];
      answerTextFile(ctx, "recovery-codes.txt", codes);
    }),
    confirm: chains.form(isTurn, async (ctx, interaction, { chain, form }) => {
      if (form.kind === "faulty")
        return draw(ctx, interaction, { chain, trouble: { status: 400, fieldErrors: form.errors } });
      await factors.recoveryCodes.confirmSaved(chain.account.id);
      await chains.goOn(ctx, interaction);
    }),
  };
}
