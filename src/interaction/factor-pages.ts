import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "koa";
import {
  allowFormAction,
  type FieldError,
  type FormFields,
  type FormTrouble,
  type Message,
  message,
  seeOther,
  pauseTrouble,
} from "../http/index.ts";
import type { FactorKind, FactorOutcome } from "../mfa/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import type { Chain } from "./chain-state.ts";
import type { FactorSources } from "./factor-sources.ts";
import type { InteractionDependencies } from "./ports.ts";
import { showableClient, urlsOf } from "./request-pages.ts";
import { mayDecline, type SignInChain } from "./sign-in-chain.ts";

/** The press that came first has a second to finish. */
const OVERTAKEN_LOOKS = 10;
const OVERTAKEN_LOOK_EVERY_MS = 100;

/** Another way to go on from a page. */
interface OtherWay {
  readonly href: string;
  readonly label: Message;
}

export type Trouble = Omit<FormTrouble, "typed"> & { readonly typed?: FormFields };

/** What a page is shown for. */
export interface Shown {
  readonly chain: Chain;
  readonly trouble?: Trouble | undefined;
}

/** A page of one factor, as it is drawn. */
interface FactorPage {
  readonly template: string;
  readonly title: Message;
  readonly submitUrl: string;
  readonly others: readonly OtherWay[];
  readonly data?: object;
  readonly scripts?: readonly string[];
  readonly typed?: FormFields;
}

interface Place {
  readonly interaction: PendingInteraction;
  readonly chain: Chain | undefined;
  readonly trouble?: Trouble | undefined;
}

export interface FactorPages {
  show(ctx: Context, place: Place, page: FactorPage): void;
  /**
   * What was used already may have been used by this very browser: a button that was pressed twice finished the sign-in
   * the first time, or is about to. Then the browser goes on, and this is `true`.
   */
  sendOvertaken(ctx: Context, interaction: PendingInteraction): Promise<boolean>;
}

/** What the steps of factors work with. */
export interface FactorPagesDependencies extends Pick<InteractionDependencies, "factors"> {
  readonly chain: SignInChain;
  readonly pages: FactorPages;
  readonly sources: FactorSources;
}

/** Draws the pages of factors, which have client, account and ways on in common. */
export function createFactorPages({
  views,
  csrf,
  interactions,
}: Pick<InteractionDependencies, "views" | "csrf" | "interactions">): FactorPages {
  return {
    show(ctx, { interaction, chain, trouble }, { template, title, submitUrl, others, data, scripts, ...page }) {
      if (interaction.redirectUri !== undefined) allowFormAction(ctx, [interaction.redirectUri]);
      const canDecline = chain !== undefined && chain.next.step !== "complete" && mayDecline(interaction);
      const shared = {
        client: showableClient(ctx, interaction.client),
        account: chain?.account,
        isStepUp: interaction.page === "step-up",
        isNeeded: chain?.next.step === "enroll",
        hidden: { csrf: csrf.token(interaction.uid) },
        urls: { submit: submitUrl },
        others,
        decline: canDecline ? urlsOf(interaction).decline : undefined,
      };
      const { status = 200, ...errors } = trouble ?? {};
      const content = { title, uiLocales: interaction.uiLocales, scripts, ...page, ...errors };
      views.render(ctx, template, { ...content, data: { ...shared, ...data } }, { status });
    },
    async sendOvertaken(ctx, { uid }) {
      for (let look = 0; look < OVERTAKEN_LOOKS; look += 1) {
        const url = (await interactions.find(ctx, uid))?.answeredUrl;
        if (url !== undefined) {
          seeOther(ctx, url);
          return true;
        }
        await delay(OVERTAKEN_LOOK_EVERY_MS);
      }
      return false;
    },
  };
}

/** The person's other factors. */
export function otherFactors(interaction: PendingInteraction, chain: Chain, shown: FactorKind): readonly OtherWay[] {
  const { next } = chain;
  const urls = urlsOf(interaction);
  const ways = {
    totp: { href: urls.secondFactor, label: message("factor.useApp") },
    passkey: { href: urls.passkey, label: message("factor.usePasskey") },
    recovery_code: { href: urls.recoveryCode, label: message("factor.useRecoveryCode") },
  };
  return next.step === "prove" ? next.factors.filter((factor) => factor !== shown).map((factor) => ways[factor]) : [];
}

export function wrongField(field: string, text: Message): Trouble & { readonly fieldErrors: readonly FieldError[] } {
  return { status: 400, fieldErrors: [{ field, message: text }] };
}

/** What the page says to a code that was not accepted. */
export function codeTrouble(
  ctx: Context,
  outcome: Exclude<FactorOutcome, { readonly outcome: "accepted" }>,
  wrong: Message,
): Trouble {
  if (outcome.outcome === "refused") return wrongField("code", wrong);
  return pauseTrouble(ctx, outcome);
}
