import type { Context } from "koa";
import { ACR_MULTI_FACTOR, reaches } from "../mfa/index.ts";
import type { RequiredAssurance } from "./asked-assurance.ts";

/** Whether the policy `optional` asks this person, in this browser, for more than a password. */
export type AsksForFactor = (ctx: Context, accountId: string) => Promise<boolean>;

interface SignedIn {
  readonly accountId: string;
  readonly acr?: string | undefined;
}

/** Whether somebody is signed in by as much as they would be asked for, if they signed in now. */
export type IsEnough = (ctx: Context, session: SignedIn, required: RequiredAssurance) => Promise<boolean>;

/**
 * One session serves all clients. It may have begun at one whose policy is `off`, or when the person had no second
 * factor, and is no way around the policy of another.
 */
export function createSufficiency(asksForFactor: AsksForFactor): IsEnough {
  return async (ctx, { accountId, acr }, required) => {
    if (!reaches(acr, required.acr)) return false;
    if (required.policy !== "optional" || reaches(acr, ACR_MULTI_FACTOR)) return true;
    return !(await asksForFactor(ctx, accountId));
  };
}
