import type { Context } from "koa";
import type { ConfirmationOrigin } from "../../accounts/index.ts";
import { queryText } from "../../http/index.ts";
import { type BrowserSessions, restartUrl } from "../../oidc/index.ts";

/** Sealed by us, and a few hundred characters long; more is none of ours. */
const RESTART_CHARACTERS_MAX = 16_384;

/** The authorization request that the person was about to answer, sealed: whoever makes a link with another gains nothing. */
export function originOf(ctx: Context): ConfirmationOrigin {
  const restartToken = queryText(ctx, "r");
  return restartToken === "" || restartToken.length > RESTART_CHARACTERS_MAX ? {} : { restartToken };
}

export function withRestart(path: string, { restartToken }: ConfirmationOrigin): string {
  return restartToken === undefined ? path : `${path}?r=${encodeURIComponent(restartToken)}`;
}

/** Where the person signs in: for the app that they came from, if there is one. */
export function signInUrlOf(
  browserSessions: Pick<BrowserSessions, "signInUrl">,
  { restartToken }: ConfirmationOrigin,
): string {
  return restartToken === undefined ? browserSessions.signInUrl("sign-in") : restartUrl(restartToken);
}
