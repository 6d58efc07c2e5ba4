import type { Context } from "koa";
import type { Accounts } from "../accounts/index.ts";
import type { Config } from "../config/index.ts";
import type { Clock } from "../core/index.ts";
import type { Csrf, FailurePages, Views } from "../http/index.ts";
import type { Factors } from "../mfa/index.ts";
import type { Interactions } from "../oidc/index.ts";
import type { KnownBrowsers } from "./known-browser.ts";

/** What every step of these pages works with. */
export interface InteractionDependencies {
  readonly interactions: Interactions;
  readonly accounts: Pick<Accounts, "signIn" | "register" | "byMail" | "find" | "read">;
  readonly factors: Factors;
  readonly knownBrowsers: KnownBrowsers;
  /** For how long a person may ask not to be asked again in a browser; 0: not at all. */
  readonly trustedBrowserSeconds: number;
  readonly clock: Clock;
  readonly views: Views;
  readonly failurePages: FailurePages;
  readonly csrf: Csrf;
  /** Whether people may create accounts by themselves. */
  readonly registration: Config["registration"];
  /** Whether they have to prove their address first. */
  readonly verifiesEmail: boolean;
  /** The address of whoever is asking, resolved behind trusted proxies only. */
  readonly clientAddress: (ctx: Context) => string;
}
