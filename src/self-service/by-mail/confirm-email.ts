import { message, queryText, type RouteStep, seeOther } from "../../http/index.ts";
import { interactionUrl } from "../../oidc/index.ts";
import type { SelfServiceDependencies } from "../ports.ts";

type Dependencies = Pick<SelfServiceDependencies, "accounts" | "views">;

/**
 * Where the link begins that proves the address of an account: it is used where it was asked for, in the sign-in that waits
 * for it or by whoever is signed in. In another browser it proves nothing, and the code has to do.
 */
export function createConfirmEmail({ accounts, views }: Dependencies): RouteStep {
  return async (ctx) => {
    const token = queryText(ctx, "token");
    const { interactionUid, restartToken } = await accounts.byMail.emailChange.findOrigin(token);
    const carried = `token=${encodeURIComponent(token)}`;
    if (interactionUid === undefined || restartToken === undefined) {
      return seeOther(ctx, `/account/email/confirm?${carried}`);
    }
    if (queryText(ctx, "here") === "") {
      return seeOther(ctx, `${interactionUrl(interactionUid, restartToken, "/prove-email")}&${carried}`);
    }
    const data = { ways: [{ label: message("way.toStart"), href: "/" }], lede: message("email.confirm.elsewhere") };
    views.render(ctx, "done", { title: message("email.confirm.title"), data });
  };
}
