import type { Context } from "koa";
import { z } from "zod";
import { isAppError } from "../core/index.ts";
import { message, PASSKEY_SCRIPTS } from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import { type FactorPagesDependencies, type Shown, type Trouble, wrongField } from "./factor-pages.ts";
import type { FormStep, InteractionStep } from "./interaction-steps.ts";
import type { InteractionDependencies } from "./ports.ts";
import { urlsOf } from "./request-pages.ts";
import { isToBeEnrolled } from "./sign-in-chain.ts";

export const newPasskeyForm = z.object({ response: z.string(), name: z.string() });

export interface PasskeyEnrollment {
  readonly show: InteractionStep;
  readonly take: FormStep<z.infer<typeof newPasskeyForm>>;
}

type Dependencies = FactorPagesDependencies & Pick<InteractionDependencies, "views">;

/** A passkey that is added during a sign-in. Making it proves at once that the person has it. */
export function createPasskeyEnrollment(dependencies: Dependencies): PasskeyEnrollment {
  const { factors, views, chain: chains, pages, sources } = dependencies;
  const isTurn = isToBeEnrolled("passkey");

  async function draw(ctx: Context, interaction: PendingInteraction, shown: Shown): Promise<void> {
    const urls = urlsOf(interaction);
    const options = await factors.passkeys.creationOptions(shown.chain.account, interaction.uid);
    const hasChoice = isToBeEnrolled("totp")(shown.chain.next);
    pages.show(
      ctx,
      { interaction, ...shown },
      {
        template: "enroll-passkey",
        title: message("enrollPasskey.title"),
        submitUrl: urls.enrollPasskey,
        others: hasChoice ? [{ href: urls.enrollApp, label: message("enrollPasskey.appInstead") }] : [],
        data: { passkeyOptions: JSON.stringify(options) },
        scripts: PASSKEY_SCRIPTS,
        typed: { name: views.say(ctx, message("enrollPasskey.defaultName"), interaction.uiLocales) },
      },
    );
  }

  return {
    show: chains.page(isTurn, (ctx, interaction, chain) => draw(ctx, interaction, { chain })),
    take: chains.form(isTurn, async (ctx, interaction, { chain, form }) => {
      const again = (trouble: Trouble): Promise<void> =>
        draw(ctx, interaction, { chain, trouble: { ...trouble, typed: { name: form.typed["name"] } } });
      if (form.kind === "faulty") return again({ status: 400, alert: message("enrollPasskey.refused") });
      const accountId = chain.account.id;
      try {
        const source = await sources.of(ctx, interaction, accountId);
        const attempt = { ...form.values, binding: interaction.uid, source };
        const outcome = await factors.passkeys.register(accountId, attempt);
        if (outcome.outcome === "accepted") {
          const proof = outcome.isSynced ? "passkey_swk" : "passkey_hwk";
          return await chains.prove(ctx, interaction, { accountId, proof });
        }
        return await again({ status: 400, alert: message("enrollPasskey.refused") });
      } catch (error) {
        if (!isAppError(error, "INPUT_INVALID")) throw error;
        return again(wrongField("name", message("field.deviceName.invalid")));
      }
    }),
  };
}
