import type { Context } from "koa";
import type { Provider } from "oidc-provider";
import type { Accounts } from "../accounts/index.ts";
import { type Clock, epochSeconds, randomToken, sha256 } from "../core/index.ts";
import { assuranceOf, proofsOf } from "../mfa/index.ts";
import { ACCOUNT_CALLBACK_PATH, ACCOUNT_CLIENT_ID, ROUTES } from "./identity.ts";
import type { BrowserSession, BrowserSessions } from "./interactions-port.ts";
import type { SessionInCookie } from "./response-rules.ts";

export interface BrowserSessionsDeps {
  readonly provider: Provider;
  readonly accounts: Pick<Accounts, "find">;
  /** By the policy of the account page, which is the deployment's. */
  readonly isEnough: (ctx: Context, session: Pick<BrowserSession, "accountId" | "acr">) => Promise<boolean>;
  readonly clock: Clock;
  readonly setSessionCookie: (ctx: Context, session: SessionInCookie) => void;
  readonly clearSessionCookie: (ctx: Context) => void;
}

export function createBrowserSessions(deps: BrowserSessionsDeps): BrowserSessions {
  const { provider } = deps;

  function authorizationUrl(parameters: Readonly<Record<string, string>>, returnTo = ""): string {
    const query = new URLSearchParams({
      client_id: ACCOUNT_CLIENT_ID,
      response_type: "code",
      scope: "openid",
      redirect_uri: provider.issuer + ACCOUNT_CALLBACK_PATH,
      state: returnTo === "" ? randomToken(16) : returnTo,
      // The code is never redeemed, so nobody needs to know the verifier.
      code_challenge: sha256(randomToken()).toString("base64url"),
      code_challenge_method: "S256",
      ...parameters,
    });
    return `${ROUTES.authorization}?${query.toString()}`;
  }

  return {
    async find(ctx) {
      const session = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
      if (session.accountId === undefined || session.uid === undefined) return undefined;
      const account = await deps.accounts.find(session.accountId);
      if (account === undefined || account.disabledAt !== undefined) return undefined;
      const { accountId, uid: sessionId, loginTs: authenticatedAt = 0, acr, amr = [] } = session;
      const isEnough = await deps.isEnough(ctx, { accountId, acr });
      return { accountId, sessionId, authenticatedAt, acr, amr, isEnough };
    },
    async addProof(ctx, proof) {
      const session = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
      const { accountId, loginTs, exp } = session;
      if (accountId === undefined) return;
      const { acr, amr } = assuranceOf([...proofsOf(session.amr ?? []), proof]);
      session.loginAccount({ accountId, loginTs, acr, amr: [...amr], transient: session.transient === true });
      session.resetIdentifier();
      await session.save(Math.max(1, exp - epochSeconds(deps.clock)));
      deps.setSessionCookie(ctx, session);
    },
    async end(ctx) {
      // What the adapter ends is the session with all that lives with it; grants with `offline_access` stay.
      await (await provider.Session.get(provider.createContext(ctx.req, ctx.res))).destroy();
      deps.clearSessionCookie(ctx);
    },
    signInUrl: (page, returnTo) => authorizationUrl(page === "create-account" ? { prompt: "create" } : {}, returnTo),
    reauthenticationUrl: ({ maxAgeSeconds, acr, returnTo }) =>
      authorizationUrl({ max_age: String(maxAgeSeconds), ...(acr === undefined ? {} : { acr_values: acr }) }, returnTo),
  };
}
