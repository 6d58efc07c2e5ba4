import type { Provider } from "oidc-provider";
import { randomToken } from "../core/index.ts";
import type { LogoutNotice, PreparedLogout } from "../sessions/index.ts";

const LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout";

/** `undefined` when there is no such client any more, or it does not want to be told. */
export type PrepareLogout = (notice: LogoutNotice) => Promise<PreparedLogout | undefined>;

/**
 * Signs the token that tells one client of one ended session, for one try: it says when it was made and lives for two
 * minutes (OpenID Connect Back-Channel Logout 1.0, section 2.4). It is signed as the client's ID tokens are.
 */
export function createLogoutTokens(provider: Provider): PrepareLogout {
  return async ({ clientId, accountId, sessionId }) => {
    const client = await provider.Client.find(clientId);
    if (client?.backchannelLogoutUri === undefined) return undefined;
    const token = new provider.IdToken({ sub: accountId }, { client });
    // Of all claims the person's own identifier alone. The types leave this out.
    Reflect.set(token, "mask", { sub: null });
    token.set("jti", randomToken(16));
    token.set("events", { [LOGOUT_EVENT]: {} });
    // A client whose ID tokens name no session would not know which one is meant.
    if (client.backchannelLogoutSessionRequired === true) token.set("sid", sessionId);
    return { uri: client.backchannelLogoutUri, logoutToken: await token.issue({ use: "logout" }) };
  };
}

/**
 * The library would post to every app while the person waits for the end of the sign-out, once, and only when the
 * session ends at its own endpoint. Whoever ends a session puts it into a queue instead (`sessions/back-channel`).
 */
export function leaveLogoutTokensToTheQueue(provider: Provider): void {
  Reflect.set(provider.Client.prototype, "backchannelLogout", async () => undefined);
}
