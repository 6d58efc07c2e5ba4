import type { Context } from "koa";
import type { Accounts } from "../accounts/index.ts";
import type { Csrf, FailurePages, Views } from "../http/index.ts";
import type { Interactions } from "../oidc/index.ts";

/** What every step of these pages works with. */
export interface InteractionDependencies {
  readonly interactions: Interactions;
  readonly accounts: Pick<Accounts, "signIn" | "register" | "find">;
  readonly views: Views;
  readonly failurePages: FailurePages;
  readonly csrf: Csrf;
  /** Whether people may create accounts by themselves. */
  readonly registration: "open" | "closed";
  /** The address of whoever is asking, resolved behind trusted proxies only. */
  readonly clientAddress: (ctx: Context) => string;
}
