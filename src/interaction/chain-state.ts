import type { Context } from "koa";
import type { Account } from "../accounts/index.ts";
import { decideNext, type FactorOverview, type NextStep } from "../mfa/index.ts";
import type { PendingInteraction, SignInProgress } from "../oidc/index.ts";
import type { InteractionDependencies } from "./ports.ts";

/** A proof of the password, or of what else came first, is good for so long. */
const CHAIN_MS = 10 * 60 * 1000;
/** A factor may be added on what a session rests on for so long; older, it has to be proved again (ASVS 7.5.1). */
const ENROLLING_MS = 15 * 60 * 1000;

/** `confirm-email`: all is proved but that the person reads the mail of the account's address. */
export type Turn = NextStep | { readonly step: "confirm-email" };

/** A chain of proofs that goes on: whose it is, what is there, and what comes next. */
export interface Chain {
  readonly account: Account;
  readonly progress: SignInProgress;
  readonly factors: FactorOverview;
  readonly next: Turn;
}

export interface ChainStates {
  /** `undefined` when nothing was proved yet, or too long ago, or the password or the account changed since. */
  find(ctx: Context, interaction: PendingInteraction): Promise<Chain | undefined>;
  /** What these proofs come to; `undefined` for an account that may not sign in. */
  assess(ctx: Context, interaction: PendingInteraction, progress: SignInProgress): Promise<Chain | undefined>;
}

type Dependencies = Pick<InteractionDependencies, "accounts" | "factors" | "knownBrowsers" | "verifiesEmail" | "clock">;

/** Reads what is there anew at each step: a factor may have been added or taken away, an account disabled. */
export function createChainStates(dependencies: Dependencies): ChainStates {
  const { accounts, factors, knownBrowsers, verifiesEmail, clock } = dependencies;

  async function assess(
    ctx: Context,
    { required }: PendingInteraction,
    progress: SignInProgress,
  ): Promise<Chain | undefined> {
    const account = await accounts.read(progress.accountId);
    const ageMs = clock.nowMs() - progress.provedAtMs;
    if (account === undefined || !isGood(progress, { account, ageMs })) return undefined;
    const overview = await factors.overview(account.id);
    const browser = await knownBrowsers.recognize(ctx, account.id);
    const next = decideNext({
      proofs: progress.proofs,
      needed: required.acr,
      policy: required.policy,
      factors: overview,
      isTrustedBrowser: browser?.isTrusted === true,
    });
    // Who has somebody's session, and no more, is not to add a factor that keeps that person out.
    if (next.step === "enroll" && ageMs > ENROLLING_MS) return undefined;
    // An account from before that was asked for, or that an operator made. A session that is there goes on.
    const isUnproved = verifiesEmail && !account.emailVerified && progress.isOfSession === undefined;
    const turn: Turn = isUnproved && next.step === "complete" ? { step: "confirm-email" } : next;
    return { account, progress, factors: overview, next: turn };
  }

  return {
    assess,
    find: async (ctx, interaction) =>
      interaction.progress === undefined ? undefined : assess(ctx, interaction, interaction.progress),
  };
}

/** A page that is left open, or a password or a factor that was changed since, begins anew. */
function isGood(
  { provedAtMs, isOfSession, proofs }: SignInProgress,
  { account, ageMs }: { readonly account: Account; readonly ageMs: number },
): boolean {
  if (account.disabledAt !== undefined || proofs.length === 0) return false;
  // The session is there or it is not: whoever completes the sign-in looks.
  if (isOfSession) return true;
  return ageMs <= CHAIN_MS && provedAtMs > (account.proofsSince?.getTime() ?? 0);
}
