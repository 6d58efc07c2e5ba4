import type { Context } from "koa";
import { z } from "zod";
import { EMAIL_PURPOSES } from "../accounts/index.ts";
import { codeFromMailForm, codeFromMailTrouble, message, queryText, seeOther, troubleOfLimits } from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import type { Chain, Turn } from "./chain-state.ts";
import type { FactorPagesDependencies, Trouble } from "./factor-pages.ts";
import type { FormStep, InteractionStep } from "./interaction-steps.ts";
import type { InteractionDependencies } from "./ports.ts";
import { urlsOf } from "./request-pages.ts";
import { sourceOf } from "./request-source.ts";

/** Without a code it asks for the mail. */
export const proveEmailForm = z.object({ code: codeFromMailForm.shape.code.optional() });

type Dependencies = FactorPagesDependencies & Pick<InteractionDependencies, "accounts" | "views" | "clientAddress">;

const isTurn = ({ step }: Turn): boolean => step === "confirm-email";

/**
 * The end of a sign-in to an account whose address nobody has proved, where that is required: made by an operator, or from
 * before it was. The person is sent a mail, and types its code here or uses its link in this browser.
 */
export function createProveEmail(dependencies: Dependencies): {
  readonly show: InteractionStep;
  readonly take: FormStep<z.infer<typeof proveEmailForm>>;
} {
  const { accounts, views, clientAddress, chain: chains, pages } = dependencies;
  const { emailChange } = accounts.byMail;

  async function draw(ctx: Context, interaction: PendingInteraction, { chain, trouble }: Shown): Promise<void> {
    const id = queryText(ctx, "id");
    const pending = await accounts.byMail.findPending(id, EMAIL_PURPOSES);
    const { proveEmail } = urlsOf(interaction);
    const place = { interaction, chain, trouble };
    const token = queryText(ctx, "token");
    if (token !== "") {
      const { email } = await emailChange.find(chain.account.id, token);
      const submitUrl = `${proveEmail}&token=${encodeURIComponent(token)}`;
      const title = message("email.confirm.title");
      return pages.show(ctx, place, { template: "confirm-email", title, submitUrl, others: [], data: { email } });
    }
    if (pending === undefined) {
      const title = message("email.confirm.title");
      return pages.show(ctx, place, { template: "prove-email", title, submitUrl: proveEmail, others: [] });
    }
    const submitUrl = `${proveEmail}&id=${encodeURIComponent(id)}`;
    const data = { email: pending.email, submitUrl, againUrl: proveEmail };
    pages.show(ctx, place, { template: "mail-code", title: message("mailCode.title"), submitUrl, others: [], data });
  }

  async function finish(ctx: Context, interaction: PendingInteraction, { chain, token }: Proved): Promise<void> {
    await emailChange.complete(chain.account.id, token, sourceOf(ctx, clientAddress));
    await chains.goOn(ctx, interaction);
  }

  async function sendMail(ctx: Context, interaction: PendingInteraction, chain: Chain): Promise<void> {
    const { uid: interactionUid, restartToken } = interaction;
    try {
      const id = await emailChange.begin(chain.account.id, {
        email: chain.account.email,
        locale: views.localeFor(ctx, interaction.uiLocales),
        source: sourceOf(ctx, clientAddress),
        origin: { interactionUid, restartToken },
      });
      seeOther(ctx, `${urlsOf(interaction).proveEmail}&id=${encodeURIComponent(id)}`);
    } catch (error) {
      const trouble = troubleOfLimits(ctx, error);
      if (trouble === undefined) throw error;
      await draw(ctx, interaction, { chain, trouble });
    }
  }

  return {
    show: chains.page(isTurn, async (ctx, interaction, chain) => draw(ctx, interaction, { chain })),
    take: chains.form(isTurn, async (ctx, interaction, { chain, form }) => {
      const id = queryText(ctx, "id");
      const token = queryText(ctx, "token");
      if (token !== "") return finish(ctx, interaction, { chain, token });
      if (id === "") return sendMail(ctx, interaction, chain);
      const code = form.kind === "valid" ? form.values.code : undefined;
      if (code === undefined) {
        const fieldErrors = [{ field: "code", message: message("field.mailCode.missing") }];
        return draw(ctx, interaction, { chain, trouble: { status: 400, fieldErrors } });
      }
      const source = sourceOf(ctx, clientAddress);
      const outcome = await accounts.byMail.takeCode({ id, purposes: EMAIL_PURPOSES, code, source });
      if (outcome.outcome !== "accepted") {
        return draw(ctx, interaction, { chain, trouble: codeFromMailTrouble(ctx, outcome) });
      }
      await finish(ctx, interaction, { chain, token: outcome.token });
    }),
  };
}

interface Proved {
  readonly chain: Chain;
  readonly token: string;
}

interface Shown {
  readonly chain: Chain;
  readonly trouble?: Trouble;
}
