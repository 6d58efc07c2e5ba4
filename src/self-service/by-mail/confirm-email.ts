import { z } from "zod";
import type { ConfirmationOrigin } from "../../accounts/index.ts";
import { message, queryText, readForm, requestIdOf, type RouteStep } from "../../http/index.ts";
import { interactionUrl } from "../../oidc/index.ts";
import type { SelfServiceDependencies } from "../ports.ts";

const emptyForm = z.object({});

type Dependencies = Pick<SelfServiceDependencies, "accounts" | "views" | "csrf" | "clientAddress">;

/**
 * Proves the address that an account has, by a link that went there: by whoever reads its mail, on any device, signed in or
 * not. It lets nobody in, and changes nothing else.
 */
export function createConfirmEmail({ accounts, views, csrf, clientAddress }: Dependencies) {
  const { emailChange } = accounts.byMail;

  const show: RouteStep = async (ctx) => {
    const token = queryText(ctx, "token");
    const { email } = await emailChange.findVerification(token);
    const submitUrl = `/confirm-email?token=${encodeURIComponent(token)}`;
    const data = { email, submitUrl, hidden: { csrf: csrf.token(token) } };
    views.render(ctx, "confirm-email", { title: message("email.confirm.title"), data });
  };

  const confirm: RouteStep = async (ctx) => {
    const { typed } = await readForm(ctx, emptyForm);
    const token = queryText(ctx, "token");
    csrf.check(ctx, token, typed["csrf"]);
    const origin = await emailChange.verify(token, { address: clientAddress(ctx), requestId: requestIdOf(ctx) });
    const data = { ways: [wayOn(origin)], lede: message("email.confirmed.text") };
    views.render(ctx, "done", { title: message("notice.emailVerified"), data });
  };

  return { show, confirm };
}

/** To the sign-in that waits for it, which goes on in the browser that it began in. */
function wayOn({ interactionUid, restartToken }: ConfirmationOrigin) {
  if (interactionUid === undefined || restartToken === undefined) {
    return { label: message("way.toAccount"), href: "/account" };
  }
  return { label: message("way.continueSignIn"), href: interactionUrl(interactionUid, restartToken) };
}
