/**
 * What proves who somebody is, beside the password: authenticator apps, recovery codes, passkeys, and what they are worth.
 *
 * A code is counted, then compared with all that the account has, then used up by one conditional statement, then
 * recorded. A passkey answers a challenge that carries its own end and purpose; what was answered is noted in the same
 * transaction as its counter. Adding and removing hold the account's set of factors, so that the first one brings
 * recovery codes along and the last one takes them away. `assurance.ts` says how proofs become `acr` and `amr`.
 *
 * Invariants: nothing is accepted twice, over all nodes; five wrong codes pause both kinds of them, in every session and
 * from every address but a browser that is known; secrets are sealed and codes are keyed digests; the answer never says
 * why; when the database does not count, nobody passes.
 */
export { createFactors } from "./create-factors.ts";
export {
  ACR_MULTI_FACTOR,
  ACR_PASSWORD,
  ACR_VALUES,
  type Acr,
  assuranceOf,
  type Proof,
  proofsOf,
  reaches,
  reportedAcr,
  weakestOf,
} from "./assurance.ts";
export { decideNext, type FactorKind, hasFactors, neededAssurance, type NextStep } from "./factor-policy.ts";
export type {
  EnrolledDevice,
  EnrolledPasskey,
  FactorOutcome,
  FactorOverview,
  Factors,
  FactorSource,
} from "./factors.ts";
