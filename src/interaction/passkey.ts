import type { Context } from "koa";
import { z } from "zod";
import { message, PASSKEY_SCRIPTS, seeOther } from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import type { Chain } from "./chain-state.ts";
import { type FactorPagesDependencies, otherFactors, type Trouble } from "./factor-pages.ts";
import type { FormStep, InteractionStep } from "./interaction-steps.ts";
import type { InteractionDependencies } from "./ports.ts";
import { urlsOf } from "./request-pages.ts";
import { isAskedFor } from "./sign-in-chain.ts";
import { sourceOf } from "./request-source.ts";

export const passkeyForm = z.object({ response: z.string() });

export interface PasskeySignIn {
  readonly show: InteractionStep;
  readonly take: FormStep<z.infer<typeof passkeyForm>>;
}

type Dependencies = FactorPagesDependencies & Pick<InteractionDependencies, "accounts" | "clientAddress">;

/**
 * A passkey in the place of the password, or as one of the second factors. Where a chain has begun it has to be the same
 * person's, and its turn.
 */
export function createPasskeySignIn(dependencies: Dependencies): PasskeySignIn {
  const { factors, accounts, chain: chains, pages, sources, clientAddress } = dependencies;

  async function draw(
    ctx: Context,
    interaction: PendingInteraction,
    { chain, trouble }: { readonly chain: Chain | undefined; readonly trouble?: Trouble },
  ): Promise<void> {
    const urls = urlsOf(interaction);
    const options = await factors.passkeys.requestOptions(interaction.uid, expectedAccount(interaction, chain));
    const password = [{ href: urls.signIn, label: message("passkey.usePassword") }];
    pages.show(
      ctx,
      { interaction, chain, trouble },
      {
        template: "passkey",
        title: message("passkey.title"),
        submitUrl: urls.passkey,
        others: chain === undefined ? password : otherFactors(interaction, chain, "passkey"),
        data: { passkeyOptions: JSON.stringify(options) },
        scripts: PASSKEY_SCRIPTS,
      },
    );
  }

  /** The account that has to be proved: that of the chain, or of whoever is asked to sign in again. */
  function expectedAccount({ isReauthentication, accountId }: PendingInteraction, chain: Chain | undefined) {
    return chain?.account.id ?? (isReauthentication ? accountId : undefined);
  }

  async function take(ctx: Context, interaction: PendingInteraction, posted: Posted): Promise<void> {
    const { chain, response } = posted;
    const accountId = expectedAccount(interaction, chain);
    const source =
      accountId === undefined
        ? { ...sourceOf(ctx, clientAddress), clientId: interaction.client.id }
        : await sources.of(ctx, interaction, accountId);
    const outcome = await factors.passkeys.verify({ binding: interaction.uid, response, accountId, source });
    const account = outcome.outcome === "accepted" ? await accounts.read(outcome.accountId) : undefined;
    if (outcome.outcome === "refused" || account === undefined || account.disabledAt !== undefined) {
      return draw(ctx, interaction, { chain, trouble: { status: 400, alert: message("passkey.refused") } });
    }
    await chains.prove(ctx, interaction, { accountId: account.id, proof: outcome.proof });
  }

  return {
    async show(ctx, interaction) {
      const chain = await chains.find(ctx, interaction);
      if (chain !== undefined && !isAskedFor("passkey")(chain.next)) return seeOther(ctx, urlsOf(interaction).page);
      await draw(ctx, interaction, { chain });
    },
    async take(ctx, interaction, form) {
      const chain = await chains.find(ctx, interaction);
      if (chain !== undefined && !isAskedFor("passkey")(chain.next)) return seeOther(ctx, urlsOf(interaction).page);
      await take(ctx, interaction, { chain, response: form.kind === "valid" ? form.values.response : "" });
    },
  };
}

interface Posted {
  readonly chain: Chain | undefined;
  readonly response: string;
}
