import type { Context } from "koa";
import { type Clock, createFreshCache } from "../core/index.ts";
import { ACR_PASSWORD, decideNext, type Factors } from "../mfa/index.ts";
import type { KnownBrowsers } from "./known-browser.ts";

/** Every silent sign-in asks. Another node may add a first factor meanwhile: then that is known within a second. */
const KNOWN_AGE_MS_MAX = 900;
const KNOWN_MAX = 10_000;

/** Tells of a person who is signed in by a password whether they would be asked for more, under the policy `optional`. */
export function createFactorQuestion(deps: {
  readonly factors: Pick<Factors, "hasAny" | "overview">;
  readonly knownBrowsers: Pick<KnownBrowsers, "recognize">;
  readonly clock: Clock;
}) {
  const known = createFreshCache({
    clock: deps.clock,
    ageMsMax: KNOWN_AGE_MS_MAX,
    entriesMax: KNOWN_MAX,
    load: (accountId) => deps.factors.hasAny(accountId),
  });
  return async (ctx: Context, accountId: string): Promise<boolean> => {
    if (!(await known.get(accountId))) return false;
    const factors = await deps.factors.overview(accountId);
    const browser = await deps.knownBrowsers.recognize(ctx, accountId);
    const isTrustedBrowser = browser?.isTrusted === true;
    const signedIn = { proofs: ["password"], needed: ACR_PASSWORD, policy: "optional" } as const;
    return decideNext({ ...signedIn, factors, isTrustedBrowser }).step !== "complete";
  };
}
