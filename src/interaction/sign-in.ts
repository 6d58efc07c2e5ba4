import type { Context } from "koa";
import { z } from "zod";
import { fieldMessage, message, type SentForm, throttleTrouble, troubleOfLimits } from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import type { InteractionDependencies } from "./ports.ts";
import { looksLikeEmail, type RequestPages } from "./request-pages.ts";
import { sourceOf } from "./request-source.ts";
import type { SignInChain } from "./sign-in-chain.ts";

export const signInForm = z.object({
  email: z
    .string(fieldMessage("field.email.invalid"))
    .trim()
    .refine(looksLikeEmail, fieldMessage("field.email.invalid")),
  password: z.string(fieldMessage("field.password.missing")).min(1, fieldMessage("field.password.missing")),
});

export type SignInForm = SentForm<z.infer<typeof signInForm>>;

type Dependencies = Pick<InteractionDependencies, "accounts" | "clientAddress" | "knownBrowsers"> & {
  readonly chain: SignInChain;
};

/** Takes e-mail and password: on to what comes next, or the page again with what to do. */
export function createSignIn({ accounts, clientAddress, knownBrowsers, chain }: Dependencies, pages: RequestPages) {
  return async (ctx: Context, interaction: PendingInteraction, form: SignInForm): Promise<void> => {
    const { typed } = form;
    if (form.kind === "faulty") {
      return pages.showSignIn(ctx, interaction, { status: 400, fieldErrors: form.errors, typed });
    }
    try {
      const source = sourceOf(ctx, clientAddress);
      const browserToken = knownBrowsers.tokenOf(ctx);
      const result = await accounts.signIn({ ...form.values, source, browserToken, clientId: interaction.client.id });
      if (result.outcome === "accepted") {
        return await chain.prove(ctx, interaction, { accountId: result.account.id, proof: "password" });
      }
      const trouble =
        result.outcome === "throttled"
          ? throttleTrouble(ctx, result)
          : { status: 400, alert: message("signIn.mismatch") };
      return await pages.showSignIn(ctx, interaction, { ...trouble, typed });
    } catch (error) {
      const trouble = troubleOfLimits(ctx, error);
      if (trouble === undefined) throw error;
      return pages.showSignIn(ctx, interaction, { ...trouble, typed });
    }
  };
}
