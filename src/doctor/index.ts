/**
 * Looks at a deployment and says what is wrong with it, what that means, and what to do (docs/operations/doctor.md).
 *
 * `doctor.ts` looks at everything once: what nodes say of themselves, the stores, and what a client and a browser meet at
 * the issuer. `checks/` judges that, one file a matter; `checks/index.ts` is the list.
 *
 * Invariants: nothing is changed, but that one authorization request is begun, which nobody goes on with; what is away
 * is a finding and no failure of ours; no finding holds a secret.
 */
export { createDoctor, type Doctor } from "./doctor.ts";
export type { Finding } from "./finding.ts";
