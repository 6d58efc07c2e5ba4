import type { Context } from "koa";
import type { Accounts } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Config, FactorPolicy } from "../config/index.ts";
import type { Clock } from "../core/index.ts";
import type { Csrf, FailurePages, Views } from "../http/index.ts";
import type { Factors } from "../mfa/index.ts";
import type { AllowedClients, BrowserSessions } from "../oidc/index.ts";
import type { Sessions } from "../sessions/index.ts";

/** What every page of this folder works with. */
export interface SelfServiceDependencies {
  /** The session of the browser that asks. */
  readonly browserSessions: BrowserSessions;
  /** All sessions of its person. */
  readonly sessions: Pick<Sessions, "list" | "end" | "endOthers" | "withdrawConsent">;
  readonly accounts: Pick<Accounts, "find" | "changeProfile" | "changePassword" | "byMail" | "remove">;
  readonly allowedClients: AllowedClients;
  readonly audit: Pick<Audit, "list">;
  readonly factors: Factors;
  /** The deployment's: `off` offers no second factors. */
  readonly factorPolicy: FactorPolicy;
  readonly views: Views;
  readonly failurePages: FailurePages;
  readonly csrf: Csrf;
  readonly clock: Clock;
  /** The address of whoever is asking, resolved behind trusted proxies only. */
  readonly clientAddress: (ctx: Context) => string;
  /** What the cookie of a known browser holds. */
  readonly browserTokenOf: (ctx: Context) => string | undefined;
  /** The person has proved here who they are: strangers do not delay them in this browser. */
  readonly noteBrowser: (ctx: Context, accountId: string) => Promise<void>;
  /** Roughly where an address is, such as "Malmö, Sweden"; nobody knows when absent. */
  readonly placeOf?: ((address: string) => string | undefined) | undefined;
  /** Whether people may create accounts by themselves. */
  readonly registration: Config["registration"];
  /** `embedded` is the trial mode, and the start page says so. */
  readonly mode: "embedded" | "production";
  /** Whether the mails of this server are to be read at `/dev/mail`. */
  readonly hasMailbox: boolean;
  /** Address of the demo app, where one is served. */
  readonly demoUrl: string | undefined;
}
