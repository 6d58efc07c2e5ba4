import { z } from "zod";
import { message, queryText, readForm, requestIdOf, type RouteStep, seeOther } from "../../http/index.ts";
import type { SelfServiceDependencies } from "../ports.ts";
import { newPasswordUrl } from "./reset-urls.ts";

const emptyForm = z.object({});

type Dependencies = Pick<SelfServiceDependencies, "accounts" | "views" | "csrf" | "clientAddress">;

/** Takes an address back that somebody changed, by a link that went there. A look at it changes nothing. */
export function createUndoEmailChange({ accounts, views, csrf, clientAddress }: Dependencies) {
  const { emailChange } = accounts.byMail;

  const show: RouteStep = async (ctx) => {
    const token = queryText(ctx, "token");
    const { email } = await emailChange.findUndo(token);
    const submitUrl = `/undo-email-change?token=${encodeURIComponent(token)}`;
    const data = { email, submitUrl, hidden: { csrf: csrf.token(token) } };
    views.render(ctx, "undo-email-change", { title: message("undo.title"), data });
  };

  const undo: RouteStep = async (ctx) => {
    const { typed } = await readForm(ctx, emptyForm);
    const token = queryText(ctx, "token");
    csrf.check(ctx, token, typed["csrf"]);
    const source = { address: clientAddress(ctx), requestId: requestIdOf(ctx) };
    seeOther(ctx, newPasswordUrl(await emailChange.undo(token, source)));
  };

  return { show, undo };
}
