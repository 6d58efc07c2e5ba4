import type { Context } from "koa";
import { z } from "zod";
import { isAppError } from "../core/index.ts";
import { fieldMessage, message, qrCodeImage } from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import { codeTrouble, type FactorPagesDependencies, type Shown, type Trouble, wrongField } from "./factor-pages.ts";
import type { FormStep, InteractionStep } from "./interaction-steps.ts";
import type { InteractionDependencies } from "./ports.ts";
import { urlsOf } from "./request-pages.ts";
import { isToBeEnrolled } from "./sign-in-chain.ts";

export const newAppForm = z.object({
  code: z.string(fieldMessage("field.code.missing")).trim().min(1, fieldMessage("field.code.missing")),
  name: z.string(fieldMessage("field.deviceName.invalid")),
});

export interface AppEnrollment {
  readonly show: InteractionStep;
  readonly take: FormStep<z.infer<typeof newAppForm>>;
}

type Dependencies = FactorPagesDependencies & Pick<InteractionDependencies, "views">;

/** An authenticator app that is added during a sign-in, because more is needed than a password. */
export function createAppEnrollment({ factors, views, chain: chains, pages, sources }: Dependencies): AppEnrollment {
  const isTurn = isToBeEnrolled("totp");

  async function draw(ctx: Context, interaction: PendingInteraction, shown: Shown): Promise<void> {
    const urls = urlsOf(interaction);
    const { secret, uri } = await factors.totp.beginEnrollment(shown.chain.account, interaction.uid);
    pages.show(
      ctx,
      { interaction, ...shown },
      {
        template: "enroll-app",
        title: message("enrollApp.title"),
        submitUrl: urls.enrollApp,
        others: [{ href: urls.enrollPasskey, label: message("enrollApp.passkeyInstead") }],
        data: { qrCode: await qrCodeImage(uri), keyGroups: secret.toLowerCase().match(/.{1,4}/g) ?? [] },
        typed: { name: views.say(ctx, message("enrollApp.defaultName"), interaction.uiLocales) },
      },
    );
  }

  return {
    show: chains.page(isTurn, (ctx, interaction, chain) => draw(ctx, interaction, { chain })),
    take: chains.form(isTurn, async (ctx, interaction, { chain, form }) => {
      const again = (trouble: Trouble): Promise<void> =>
        draw(ctx, interaction, { chain, trouble: { ...trouble, typed: { name: form.typed["name"] } } });
      if (form.kind === "faulty") return again({ status: 400, fieldErrors: form.errors });
      const accountId = chain.account.id;
      try {
        const source = await sources.of(ctx, interaction, accountId);
        const attempt = { ...form.values, binding: interaction.uid, source };
        const outcome = await factors.totp.confirmEnrollment(accountId, attempt);
        if (outcome.outcome === "accepted") return await chains.prove(ctx, interaction, { accountId, proof: "totp" });
        if (outcome.outcome === "expired") return await again({ status: 400, alert: message("enrollApp.expired") });
        return await again(codeTrouble(ctx, outcome, message("field.code.wrong")));
      } catch (error) {
        if (!isAppError(error, "INPUT_INVALID")) throw error;
        return again(wrongField("name", message("field.deviceName.invalid")));
      }
    }),
  };
}
