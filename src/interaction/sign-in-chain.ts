import type { Context } from "koa";
import { seeOther, type SentForm } from "../http/index.ts";
import { ACR_MULTI_FACTOR, ACR_PASSWORD, assuranceOf, type FactorKind, type Proof, reaches } from "../mfa/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import { type Chain, createChainStates, type Turn } from "./chain-state.ts";
import type { FormStep, InteractionStep } from "./interaction-steps.ts";
import type { InteractionDependencies } from "./ports.ts";
import { type InteractionUrls, urlsOf } from "./request-pages.ts";

/** One more proof. `trustForSeconds`: the person asked not to be asked again in this browser. */
export interface ProofGiven {
  readonly accountId: string;
  readonly proof: Proof;
  readonly trustForSeconds?: number | undefined;
  /** When the proof was handed in, where looking at it takes time in which the password may be changed; now when absent. */
  readonly provedAtMs?: number | undefined;
}

export type ChainStep = (ctx: Context, interaction: PendingInteraction, chain: Chain) => Promise<void>;
export type ChainFormStep<Values> = (
  ctx: Context,
  interaction: PendingInteraction,
  posted: { readonly chain: Chain; readonly form: SentForm<Values> },
) => Promise<void>;

export interface SignInChain {
  find(ctx: Context, interaction: PendingInteraction): Promise<Chain | undefined>;
  /** Adds a proof to the chain, or begins one, and sends the browser to what comes next. */
  prove(ctx: Context, interaction: PendingInteraction, given: ProofGiven): Promise<void>;
  /** Sends the browser to where the chain is. */
  resume(ctx: Context, interaction: PendingInteraction): Promise<void>;
  /** The person has seen what there was to see: on to what comes next, or the end. */
  goOn(ctx: Context, interaction: PendingInteraction): Promise<void>;
  /** A page that is shown at its turn; everybody else is sent to where they are. */
  page(isTurn: (next: Turn) => boolean, step: ChainStep): InteractionStep;
  form<Values>(isTurn: (next: Turn) => boolean, step: ChainFormStep<Values>): FormStep<Values>;
}

type Dependencies = Pick<
  InteractionDependencies,
  "interactions" | "accounts" | "factors" | "knownBrowsers" | "verifiesEmail" | "clock"
>;

/**
 * The dispatcher of a sign-in. Steps come back here with a proof, and `decideNext` says what is missing; the session
 * begins when nothing is. Until then all that there is lies in the interaction, which one browser can reach.
 */
export function createSignInChain(dependencies: Dependencies): SignInChain {
  const { interactions, knownBrowsers, clock } = dependencies;
  const states = createChainStates(dependencies);
  const find: SignInChain["find"] = (ctx, interaction) => states.find(ctx, interaction);

  async function complete(ctx: Context, interaction: PendingInteraction, { chain, trustForSeconds }: Reached) {
    const { progress, account } = chain;
    const stillHolds = async (): Promise<boolean> =>
      (await states.assess(ctx, interaction, progress))?.next.step === "complete";
    const isNewBrowser = await knownBrowsers.isNews(ctx, account);
    const url = await interactions.completeSignIn(ctx, interaction, { progress, stillHolds, isNewBrowser });
    const provedBy = (await isToBeKnown(ctx, chain)) ? "factor" : "password";
    await knownBrowsers.note(ctx, account.id, { provedBy, trustForSeconds });
    seeOther(ctx, url);
  }

  /**
   * A browser in which a second factor was proved. Each known one has tries at codes of its own: by the password alone,
   * at a client that asks for no more, whoever guesses would have as many tries as browsers.
   */
  async function isToBeKnown(ctx: Context, { account, progress }: Chain): Promise<boolean> {
    if (reaches(assuranceOf(progress.proofs).acr, ACR_MULTI_FACTOR)) return true;
    return (await knownBrowsers.recognize(ctx, account.id)) !== undefined;
  }

  async function proceed(ctx: Context, interaction: PendingInteraction, reached: Reached): Promise<void> {
    const { progress, next } = reached.chain;
    if (next.step === "unreachable") return seeOther(ctx, await interactions.refuseAssurance(ctx, interaction));
    // Whoever used a recovery code is told how many are left before they are gone.
    const isToBeTold = progress.proofs.at(-1) === "recovery_code";
    if (next.step === "complete" && !isToBeTold) return complete(ctx, interaction, reached);
    await interactions.noteProgress(ctx, interaction, progress);
    seeOther(ctx, urlOf(next, urlsOf(interaction)));
  }

  /** Also where the answer to the last step got lost: then the sign-in is done, and the browser is behind. */
  async function sendToTurn(ctx: Context, interaction: PendingInteraction, chain: Chain | undefined): Promise<void> {
    if (chain?.next.step === "unreachable") return seeOther(ctx, await interactions.refuseAssurance(ctx, interaction));
    const urls = urlsOf(interaction);
    seeOther(ctx, interaction.answeredUrl ?? (chain === undefined ? urls.signIn : urlOf(chain.next, urls)));
  }

  return {
    find,
    resume: async (ctx, interaction) => sendToTurn(ctx, interaction, await find(ctx, interaction)),
    async prove(ctx, interaction, { accountId, proof, trustForSeconds, provedAtMs = clock.nowMs() }) {
      const before = (await find(ctx, interaction))?.progress;
      const begun = before?.accountId === accountId ? before : { proofs: [], provedAtMs };
      const chain = await states.assess(ctx, interaction, { ...begun, accountId, proofs: [...begun.proofs, proof] });
      if (chain === undefined) return sendToTurn(ctx, interaction, undefined);
      await proceed(ctx, interaction, { chain, trustForSeconds });
    },
    async goOn(ctx, interaction) {
      const chain = await find(ctx, interaction);
      if (chain?.next.step !== "complete") return sendToTurn(ctx, interaction, chain);
      await complete(ctx, interaction, { chain });
    },
    page: (isTurn, step) => async (ctx, interaction) => {
      const chain = await find(ctx, interaction);
      if (chain === undefined || !isTurn(chain.next)) return sendToTurn(ctx, interaction, chain);
      await step(ctx, interaction, chain);
    },
    form: (isTurn, step) => async (ctx, interaction, form) => {
      const chain = await find(ctx, interaction);
      if (chain === undefined || !isTurn(chain.next)) return sendToTurn(ctx, interaction, chain);
      await step(ctx, interaction, { chain, form });
    },
  };
}

interface Reached {
  readonly chain: Chain;
  readonly trustForSeconds?: number | undefined;
}

/** Where the browser is sent for a step. */
function urlOf(next: Turn, urls: InteractionUrls): string {
  if (next.step === "prove") return urls[PAGE_OF[next.factors[0] ?? "totp"]];
  if (next.step === "enroll") return next.factors.includes("totp") ? urls.enrollApp : urls.enrollPasskey;
  if (next.step === "confirm-email") return urls.proveEmail;
  return next.step === "save-codes" ? urls.recoveryCodes : urls.recoveryUsed;
}

const PAGE_OF = {
  totp: "secondFactor",
  passkey: "passkey",
  recovery_code: "recoveryCode",
} as const satisfies Record<FactorKind, keyof InteractionUrls>;

/** For the turns of pages. */
export const isAskedFor =
  (factor: FactorKind) =>
  (next: Turn): boolean =>
    next.step === "prove" && next.factors.includes(factor);

export const isToBeEnrolled =
  (factor: "totp" | "passkey") =>
  (next: Turn): boolean =>
    next.step === "enroll" && next.factors.includes(factor);

/** Where more is needed than a password, the person may say no, and the app is told. */
export function mayDecline({ required }: PendingInteraction): boolean {
  return required.acr !== ACR_PASSWORD;
}
