import type { Context } from "koa";
import { isAppError } from "../core/index.ts";
import { type FailurePages, failureText, message, type Way } from "../http/index.ts";
import { type Interactions, type RequestingClient, restartUrl } from "../oidc/index.ts";

/** Whether an error says that the sign-in is over: ours, or the library's, which has no code of its own for it. */
export function saysItIsOver(error: unknown): boolean {
  return isAppError(error, "INTERACTION_EXPIRED") || (error instanceof Error && error.name === "SessionNotFound");
}

/** The way on for someone whose sign-in was interrupted, and the way home. */
export function waysToContinue(client: RequestingClient, url: string): readonly Way[] {
  if (client.isOurs) return [{ label: message("way.signInAgain"), href: url }];
  return [
    { label: message("way.continueToClient", { client: client.name }), href: url },
    { label: message("way.toAccount"), href: "/account" },
  ];
}

export interface ExpiredPageDependencies {
  readonly interactions: Pick<Interactions, "readRestart">;
  readonly failurePages: FailurePages;
}

/** Says that a sign-in is over and offers to continue: one click, as long as the request is known. */
export function createExpiredPage({ interactions, failurePages }: ExpiredPageDependencies) {
  return async (ctx: Context, restartToken: string | undefined, status = 400): Promise<void> => {
    const restart = restartToken === undefined ? undefined : await interactions.readRestart(restartToken);
    const known = restart === undefined || restartToken === undefined ? undefined : { ...restart, restartToken };
    failurePages.show(ctx, {
      ...failureText("expired"),
      status,
      reason: "INTERACTION_EXPIRED",
      ways:
        known === undefined
          ? [{ label: message("way.toAccount"), href: "/account" }]
          : waysToContinue(known.client, restartUrl(known.restartToken)),
      aside:
        known === undefined || known.client.isOurs ? undefined : message("failure.tabs", { client: known.client.name }),
    });
  };
}
