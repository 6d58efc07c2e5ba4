import type { Context } from "koa";
import type { FactorSource } from "../mfa/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import type { InteractionDependencies } from "./ports.ts";
import { sourceOf } from "./request-source.ts";

/** From where a factor is tried: address, client, and the browser where the account knows it. */
export interface FactorSources {
  of(ctx: Context, interaction: PendingInteraction, accountId: string): Promise<FactorSource>;
}

type Dependencies = Pick<InteractionDependencies, "clientAddress" | "knownBrowsers">;

export function createFactorSources({ clientAddress, knownBrowsers }: Dependencies): FactorSources {
  return {
    async of(ctx, interaction, accountId) {
      const browser = await knownBrowsers.recognize(ctx, accountId);
      return { ...sourceOf(ctx, clientAddress), clientId: interaction.client.id, knownDevice: browser?.id };
    },
  };
}
