import type { FactorPolicy } from "../config/index.ts";
import {
  ACR_MULTI_FACTOR,
  ACR_PHISHING_RESISTANT,
  type Acr,
  assuranceOf,
  type Proof,
  reaches,
  strongerOf,
} from "./assurance.ts";
import type { FactorOverview } from "./factors.ts";

export interface SignInState {
  readonly proofs: readonly Proof[];
  /** What the app asks for, or its policy: {@link neededAssurance}. */
  readonly needed: Acr;
  readonly policy: FactorPolicy;
  readonly factors: FactorOverview;
  /** This browser passed a second factor of the account before, and the person asked not to be asked again. */
  readonly isTrustedBrowser: boolean;
}

export type FactorKind = "totp" | "passkey" | "recovery_code";

export type NextStep =
  /** Enough is proved. */
  | { readonly step: "complete" }
  /** One of these, which the person has. */
  | { readonly step: "prove"; readonly factors: readonly FactorKind[] }
  /** One of these, which the person does not have yet. */
  | { readonly step: "enroll"; readonly factors: readonly Exclude<FactorKind, "recovery_code">[] }
  /** Recovery codes were made, and nobody has said yet that they are saved. */
  | { readonly step: "save-codes" }
  /** Not here, and not by this person. */
  | { readonly step: "unreachable" };

/** What a sign-in has to reach: what the app asks for and what its policy does, whichever is more. */
export function neededAssurance(policy: FactorPolicy, asked: Acr): Acr {
  return policy === "required" ? strongerOf(asked, ACR_MULTI_FACTOR) : asked;
}

/**
 * What comes next in a sign-in.
 *
 * A factor is never enrolled on less than the person can prove: who has only somebody's password could otherwise add a
 * factor of their own.
 */
export function decideNext(state: SignInState): NextStep {
  const { proofs, factors } = state;
  const reached = assuranceOf(proofs).acr;
  const isMultiFactor = reaches(reached, ACR_MULTI_FACTOR);
  const wanted = wantedAssurance(state);
  if (reaches(reached, wanted)) {
    const hasUnsavedCodes = isMultiFactor && factors.recoveryCodes?.isUnconfirmed === true;
    return hasUnsavedCodes ? { step: "save-codes" } : { step: "complete" };
  }
  const available = availableFactors(factors);
  if (!isMultiFactor && available.length > 0) return { step: "prove", factors: available };
  const needsPasskey = wanted === ACR_PHISHING_RESISTANT;
  if (needsPasskey && factors.passkeys.length > 0) return { step: "prove", factors: ["passkey"] };
  if (state.policy === "off") return { step: "unreachable" };
  return { step: "enroll", factors: needsPasskey ? ["passkey"] : ["totp", "passkey"] };
}

function wantedAssurance({ needed, policy, factors, isTrustedBrowser }: SignInState): Acr {
  const isAskedAnyway = policy === "optional" && hasFactors(factors) && !isTrustedBrowser;
  return isAskedAnyway ? strongerOf(needed, ACR_MULTI_FACTOR) : needed;
}

/** Recovery codes alone are no factor: they stand in for one. */
export function hasFactors({ totpDevices, passkeys }: Pick<FactorOverview, "totpDevices" | "passkeys">): boolean {
  return totpDevices.length + passkeys.length > 0;
}

function availableFactors(factors: FactorOverview): readonly FactorKind[] {
  if (!hasFactors(factors)) return [];
  return [
    ...(factors.totpDevices.length > 0 ? (["totp"] as const) : []),
    ...(factors.passkeys.length > 0 ? (["passkey"] as const) : []),
    ...((factors.recoveryCodes?.left ?? 0) > 0 ? (["recovery_code"] as const) : []),
  ];
}
