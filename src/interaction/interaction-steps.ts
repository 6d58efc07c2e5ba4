import type { Context } from "koa";
import type { z } from "zod";
import { isAppError } from "../core/index.ts";
import { failureText, message, queryText, readForm, type RouteStep, seeOther, type SentForm } from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import { createExpiredPage, saysItIsOver } from "./expired-page.ts";
import type { InteractionDependencies } from "./ports.ts";
import { urlsOf } from "./request-pages.ts";

/** One page or action on an authorization request that waits. */
export type InteractionStep = (ctx: Context, interaction: PendingInteraction) => Promise<void>;

export type FormStep<Values> = (ctx: Context, interaction: PendingInteraction, form: SentForm<Values>) => Promise<void>;

/** Turns steps into routes: finds the interaction first, and offers to begin again where there is none any more. */
export interface InteractionSteps {
  readonly page: (step: InteractionStep) => RouteStep;
  /** Also reads the form, and checks that it was sent from a page of this interaction. */
  readonly form: <Values>(schema: z.ZodType<Values>, step: FormStep<Values>) => RouteStep;
}

type Dependencies = Pick<InteractionDependencies, "interactions" | "failurePages" | "csrf">;

export function createInteractionSteps({ interactions, failurePages, csrf }: Dependencies): InteractionSteps {
  const showExpired = createExpiredPage({ interactions, failurePages });

  async function run(ctx: Context, { uid, restartToken, step }: Call): Promise<void> {
    const interaction = await interactions.find(ctx, uid);
    if (interaction === undefined) {
      const elsewhere = whereElse(ctx);
      return elsewhere === undefined ? showExpired(ctx, restartToken) : seeOther(ctx, elsewhere);
    }
    try {
      await step(ctx, interaction);
    } catch (error) {
      if (saysItIsOver(error)) return showExpired(ctx, interaction.restartToken);
      if (!isAppError(error, "CSRF_INVALID")) throw error;
      const ways = [{ label: message("way.tryAgain"), href: urlsOf(interaction).page }];
      const { code: reason, status } = error;
      failurePages.show(ctx, { ...failureText("form"), status, reason, error, ways, uiLocales: interaction.uiLocales });
    }
  }

  return {
    page:
      (step) =>
      (ctx, { uid = "" }) =>
        run(ctx, { uid, restartToken: restartTokenOf(ctx), step }),
    form:
      (schema, step) =>
      async (ctx, { uid = "" }) => {
        const form = await readForm(ctx, schema);
        const restartToken = form.typed["r"] ?? restartTokenOf(ctx);
        const checkedStep: InteractionStep = async (context, interaction) => {
          csrf.check(context, interaction.uid, form.typed["csrf"]);
          await step(context, interaction, form);
        };
        await run(ctx, { uid, restartToken, step: checkedStep });
      },
  };
}

/**
 * The link of a mail may be opened in another browser than the one that asked for it: then what it is for goes on outside
 * of the authorization request. `undefined` for every other page.
 */
function whereElse(ctx: Context): string | undefined {
  const token = queryText(ctx, "token");
  const page = ctx.path.endsWith("/prove-email") ? "/confirm-email" : "/create-account/finish";
  return token === "" ? undefined : `${page}?token=${encodeURIComponent(token)}&here=1`;
}

/** The restart token that the address carries. */
export function restartTokenOf(ctx: Context): string | undefined {
  const { r } = ctx.query;
  return typeof r === "string" ? r : undefined;
}

interface Call {
  readonly uid: string;
  readonly restartToken: string | undefined;
  readonly step: InteractionStep;
}
