/**
 * How sure we are of who somebody is, and how tokens say so.
 *
 * `acr` names one of three classes, each of which includes those before it. `amr` names what was used (RFC 8176).
 */
export const ACR_PASSWORD = "urn:latchkey:acr:pwd";
export const ACR_MULTI_FACTOR = "urn:latchkey:acr:mfa";
/** Phishing-resistant (OpenID Connect Extended Authentication Profile ACR Values 1.0, section 2). */
export const ACR_PHISHING_RESISTANT = "phr";

/** Weakest first. */
export const ACR_VALUES = [ACR_PASSWORD, ACR_MULTI_FACTOR, ACR_PHISHING_RESISTANT] as const;

export type Acr = (typeof ACR_VALUES)[number];

/**
 * What a person has proved in one sign-in. A passkey always comes with the verification of its user; `hwk` is one that
 * never leaves its device, `swk` one that is synchronized between several.
 */
export type Proof = "password" | "totp" | "recovery_code" | "passkey_hwk" | "passkey_swk";

/** RFC 8176, section 2. A recovery code is a one-time password from a list. */
const AMR_OF = {
  password: ["pwd"],
  totp: ["otp"],
  recovery_code: ["otp"],
  passkey_hwk: ["hwk", "user"],
  passkey_swk: ["swk", "user"],
} as const satisfies Record<Proof, readonly string[]>;

export interface Assurance {
  readonly acr: Acr;
  /** In the order in which it was proved; `mfa` last, where there was more than one factor. */
  readonly amr: readonly string[];
}

/** @param proofs at least one. */
export function assuranceOf(proofs: readonly Proof[]): Assurance {
  const hasPasskey = proofs.some(isPasskey);
  // A passkey is something that one has, and its user's verification something that one knows or is.
  const isMultiFactor = hasPasskey || (proofs.includes("password") && proofs.some((proof) => proof !== "password"));
  const acr = hasPasskey ? ACR_PHISHING_RESISTANT : isMultiFactor ? ACR_MULTI_FACTOR : ACR_PASSWORD;
  return { acr, amr: [...new Set([...proofs.flatMap((proof) => AMR_OF[proof]), ...(isMultiFactor ? ["mfa"] : [])])] };
}

function isPasskey(proof: Proof): boolean {
  return proof === "passkey_hwk" || proof === "passkey_swk";
}

/** Whether what was reached includes what is asked for. An unknown class is included by none. */
export function reaches(reached: string | undefined, wanted: string): boolean {
  const rank = rankOf(wanted);
  return rank >= 0 && rankOf(reached) >= rank;
}

/** The weaker of a list of classes that we know; `undefined` when there is none of them. */
export function weakestOf(values: readonly string[]): Acr | undefined {
  return ACR_VALUES.find((acr) => values.includes(acr));
}

/** The stronger of two classes. */
export function strongerOf(left: Acr, right: Acr): Acr {
  return reaches(left, right) ? left : right;
}

function rankOf(acr: string | undefined): number {
  return ACR_VALUES.findIndex((known) => known === acr);
}

/** What a session says by its `amr` that was proved for it: the way back from {@link assuranceOf}. */
export function proofsOf(amr: readonly string[]): readonly Proof[] {
  return PROOF_OF.flatMap(([method, proof]) => (amr.includes(method) ? [proof] : []));
}

const PROOF_OF = [
  ["pwd", "password"],
  ["otp", "totp"],
  ["hwk", "passkey_hwk"],
  ["swk", "passkey_swk"],
] as const satisfies readonly (readonly [string, Proof])[];

/**
 * What a token says to a client that asked for certain classes: one of these, where what was reached includes one. A
 * service that compares texts would otherwise ask for a weaker class forever (OpenID Connect Core 1.0, section 5.5.1.1).
 */
export function reportedAcr(reached: string | undefined, asked: readonly string[]): string | undefined {
  if (asked.length === 0 || reached === undefined || asked.includes(reached)) return reached;
  return ACR_VALUES.findLast((acr) => asked.includes(acr) && reaches(reached, acr)) ?? reached;
}
