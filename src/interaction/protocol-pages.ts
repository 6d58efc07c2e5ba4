import type { Context } from "koa";
import type { Accounts } from "../accounts/index.ts";
import { isAppError } from "../core/index.ts";
import {
  allowFormAction,
  type FailurePages,
  failureText,
  type FailureText,
  message,
  textOfError,
  type Views,
  type Way,
} from "../http/index.ts";
import type { ProtocolFailure, ProtocolPages, RequestingClient } from "../oidc/index.ts";
import { saysItIsOver } from "./expired-page.ts";
import { showableClient } from "./request-pages.ts";

export interface ProtocolPagesDependencies {
  readonly views: Views;
  readonly failurePages: FailurePages;
  readonly accounts: Pick<Accounts, "find">;
}

/** Draws the pages that the protocol itself shows: errors that cannot go back to an app, and signing out. */
export function createProtocolPages({ views, failurePages, accounts }: ProtocolPagesDependencies): ProtocolPages {
  return {
    async renderError(ctx, failure) {
      const { error: reason, status, cause: error } = failure;
      const retryAfterSeconds = isAppError(error) ? error.retryAfterSeconds : undefined;
      const ways = waysFrom(failure);
      failurePages.show(ctx, { ...textOf(failure), status, reason, error, retryAfterSeconds, ways });
    },
    async renderSignOut(ctx, { action, xsrf, client, accountId, returnUri }) {
      const account = await accounts.find(accountId);
      if (returnUri !== undefined) allowFormAction(ctx, [returnUri]);
      const data = { action, xsrf, client: showableClient(ctx, client), email: account?.email };
      views.render(ctx, "sign-out", { title: message("signOut.title"), data });
    },
    async renderSignedOut(ctx, { client }) {
      showSignedOut(ctx, views, client);
    },
    allowFormTo: (ctx, uri) => allowFormAction(ctx, [uri]),
  };
}

function showSignedOut(ctx: Context, views: Views, client: RequestingClient | undefined): void {
  const signInAgain = { label: message("signedOut.signInAgain"), href: "/sign-in" };
  const ways = [...waysBackTo(client), signInAgain];
  views.render(ctx, "signed-out", { title: message("signedOut.title"), data: { ways } });
}

/** The interrupted request again, else back to where the person came from, else their account. */
function waysFrom({ restartUrl, client }: ProtocolFailure): readonly Way[] {
  const toAccount = { label: message("way.toAccount"), href: "/account" };
  const again = restartUrl === undefined ? [] : [{ label: labelOfRestart(client), href: restartUrl }];
  return [...again, ...waysBackTo(client), toAccount].slice(0, 2);
}

function labelOfRestart(client: RequestingClient | undefined): Way["label"] {
  if (client === undefined || client.isOurs) return message("way.tryAgain");
  return message("way.continueToClient", { client: client.name });
}

function waysBackTo(client: RequestingClient | undefined): readonly Way[] {
  if (client === undefined || client.isOurs || client.homeUri === undefined) return [];
  return [{ label: message("way.backToClient", { client: client.name }), href: client.homeUri }];
}

/** Plain words for an OAuth error code (RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6). */
function textOf({ error, status, restartUrl, cause }: ProtocolFailure): FailureText {
  if (saysItIsOver(cause)) return failureText("expired");
  if (isAppError(cause)) return textOfError(cause, status);
  switch (error) {
    case "invalid_client":
    case "unauthorized_client":
    case "invalid_redirect_uri":
      return failureText("app");
    case "access_denied":
      return failureText("denied");
    case "temporarily_unavailable":
      return failureText("unavailable");
    default:
      if (status >= 500) return failureText("server");
      return failureText(restartUrl === undefined ? "request" : "expired");
  }
}
