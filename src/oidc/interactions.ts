import type { Context } from "koa";
import { errors, type InteractionResults, type Provider } from "oidc-provider";
import type { Clock } from "../core/index.ts";
import { newGrantId } from "./adapter/index.ts";
import type { Consents } from "./consents.ts";
import { askedScopes, describeInteraction, type DescriptionDeps, PROGRESS_MEMBER } from "./describe-interaction.ts";
import { addScopes } from "./grants.ts";
import type { Interactions, PendingInteraction } from "./interactions-port.ts";
import type { PushedRequests } from "./pushed-requests.ts";
import { createRestarts } from "./restarts.ts";
import type { Sessions } from "../sessions/index.ts";
import { createInteractionReader, createSignInCompletion } from "./sign-in-completion.ts";

export interface InteractionsDeps extends DescriptionDeps {
  readonly provider: Provider;
  readonly consents: Consents;
  readonly pushedRequests: PushedRequests;
  readonly sessions: Pick<Sessions, "begin" | "endHeld" | "checkRoom">;
  readonly clock: Clock;
}

/** The commands of the hosted pages, carried out on the library. */
export function createInteractions(deps: InteractionsDeps): Interactions {
  const { provider } = deps;
  const read = createInteractionReader(provider);
  const signIns = createSignInCompletion({ ...deps, read });

  async function finish(ctx: Context, interaction: PendingInteraction, result: InteractionResults): Promise<string> {
    // An earlier sign-in in this chain must not be applied again over a new one; consent comes on top of it.
    const mergeWithLastSubmission = "consent" in result;
    const returnTo = await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission });
    // The request travels along, so that even a resumption that finds nothing can begin again.
    return `${returnTo}?r=${interaction.restartToken}`;
  }

  return {
    async find(ctx, uid) {
      const interaction = await read(ctx);
      if (interaction === undefined || interaction.uid !== uid) return undefined;
      return describeInteraction(deps, interaction);
    },
    async noteProgress(ctx, _interaction, progress) {
      const options = { mergeWithLastSubmission: false };
      await provider.interactionResult(ctx.req, ctx.res, { [PROGRESS_MEMBER]: progress }, options);
    },
    completeSignIn: async (ctx, interaction, proved) =>
      finish(ctx, interaction, await signIns.complete(ctx, interaction, proved)),
    refuseAssurance: (ctx, interaction) =>
      finish(ctx, interaction, {
        // What the app did not ask for, it could not ask for less of: the person did not want to.
        error: interaction.required.isAsked ? "unmet_authentication_requirements" : "access_denied",
        error_description: "the person did not prove as much as is asked for",
      }),
    async allow(ctx, interaction) {
      const stored = await read(ctx);
      const session = stored?.session;
      if (stored === undefined || session === undefined) throw new errors.SessionNotFound("the interaction is over");
      const scopes = askedScopes(stored);
      const grant = stored.grantId === undefined ? undefined : await provider.Grant.find(stored.grantId);
      const allowed = grant ?? new provider.Grant({ accountId: session.accountId, clientId: interaction.client.id });
      allowed.jti ??= newGrantId(session.uid);
      addScopes(allowed, scopes);
      const grantId = await allowed.save();
      await deps.consents.give(session.accountId, interaction.client.id, scopes);
      return finish(ctx, interaction, { consent: { grantId } });
    },
    deny: (ctx, interaction) =>
      finish(ctx, interaction, { error: "access_denied", error_description: "the person did not allow it" }),
    ...createRestarts({ ...deps, issuer: provider.issuer }),
  };
}
