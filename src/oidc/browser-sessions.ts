import type { Context } from "koa";
import type { Provider } from "oidc-provider";
import type { Accounts } from "../accounts/index.ts";
import { randomToken, sha256 } from "../core/index.ts";
import { ACCOUNT_CALLBACK_PATH, ACCOUNT_CLIENT_ID, ROUTES } from "./identity.ts";
import type { BrowserSessions } from "./interactions-port.ts";

export interface BrowserSessionsDeps {
  readonly provider: Provider;
  readonly accounts: Pick<Accounts, "find">;
  readonly clearSessionCookie: (ctx: Context) => void;
}

export function createBrowserSessions(deps: BrowserSessionsDeps): BrowserSessions {
  const { provider } = deps;

  return {
    async find(ctx) {
      const session = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
      if (session.accountId === undefined || session.uid === undefined) return undefined;
      const account = await deps.accounts.find(session.accountId);
      if (account === undefined || account.disabledAt !== undefined) return undefined;
      return { accountId: session.accountId, sessionId: session.uid, authenticatedAt: session.loginTs ?? 0 };
    },
    async end(ctx) {
      // What the adapter ends is the session with all that lives with it; grants with `offline_access` stay.
      await (await provider.Session.get(provider.createContext(ctx.req, ctx.res))).destroy();
      deps.clearSessionCookie(ctx);
    },
    signInUrl(page) {
      const query = new URLSearchParams({
        client_id: ACCOUNT_CLIENT_ID,
        response_type: "code",
        scope: "openid",
        redirect_uri: provider.issuer + ACCOUNT_CALLBACK_PATH,
        state: randomToken(16),
        // The code is never redeemed, so nobody needs to know the verifier.
        code_challenge: sha256(randomToken()).toString("base64url"),
        code_challenge_method: "S256",
      });
      if (page === "create-account") query.set("prompt", "create");
      return `${ROUTES.authorization}?${query.toString()}`;
    },
  };
}
