import type { Context } from "koa";
import { z } from "zod";
import type { ConfirmationOrigin } from "../../accounts/index.ts";
import { isAppError } from "../../core/index.ts";
import {
  fieldMessage,
  type FormTrouble,
  message,
  queryText,
  readForm,
  requestIdOf,
  type RouteStep,
  seeOther,
  troubleOfLimits,
} from "../../http/index.ts";
import { interactionUrl } from "../../oidc/index.ts";
import type { SelfServiceDependencies } from "../ports.ts";
import { troubleOfNewPassword } from "./form-troubles.ts";
import { originOf, signInUrlOf, withRestart } from "./way-back.ts";

const noName = fieldMessage("field.name.missing");
const noPassword = fieldMessage("field.newPassword.missing");
const newcomerForm = z.object({
  name: z.string(noName).trim().min(1, noName),
  password: z.string(noPassword).min(1, noPassword),
});

const PAGE = "/create-account/finish";

type Dependencies = Pick<SelfServiceDependencies, "accounts" | "views" | "csrf" | "clientAddress" | "browserSessions">;

/**
 * Where the link of a mail begins: a registration goes on in the authorization request that it belongs to, if this is
 * the browser that it began in, and otherwise here. An invitation is always used here.
 */
export function createFinishAccount({ accounts, views, csrf, clientAddress, browserSessions }: Dependencies) {
  const { registration } = accounts.byMail;

  async function draw(ctx: Context, trouble?: FormTrouble): Promise<void> {
    const token = queryText(ctx, "token");
    const { email } = await registration.find(token);
    const { status = 200, ...errors } = trouble ?? {};
    const data = {
      hidden: { csrf: csrf.token(token) },
      email,
      submitUrl: `${PAGE}?token=${encodeURIComponent(token)}`,
    };
    views.render(ctx, "new-account", { title: message("newAccount.title"), data, ...errors }, { status });
  }

  const show: RouteStep = async (ctx) => {
    const token = queryText(ctx, "token");
    const { origin } = await registration.find(token);
    const isToStay = queryText(ctx, "here") !== "";
    const elsewhere = isToStay ? undefined : interactionPageOf(origin, token);
    await (elsewhere === undefined ? draw(ctx) : seeOther(ctx, elsewhere));
  };

  const create: RouteStep = async (ctx) => {
    const form = await readForm(ctx, newcomerForm);
    const { typed } = form;
    const token = queryText(ctx, "token");
    csrf.check(ctx, token, typed["csrf"]);
    const { origin } = await registration.find(token);
    if (form.kind === "faulty") return draw(ctx, { status: 400, fieldErrors: form.errors, typed });
    try {
      const source = { address: clientAddress(ctx), requestId: requestIdOf(ctx) };
      await registration.complete(token, { ...form.values, locale: views.localeFor(ctx), source });
      seeOther(ctx, withRestart("/create-account/done", origin));
    } catch (error) {
      const trouble = troubleOf(error) ?? troubleOfLimits(ctx, error);
      if (trouble === undefined) throw error;
      await draw(ctx, { ...trouble, typed });
    }
  };

  const showDone: RouteStep = async (ctx) => {
    const origin = originOf(ctx);
    const label = message(origin.restartToken === undefined ? "signIn.button" : "way.continueSignIn");
    const ways = [{ label, href: signInUrlOf(browserSessions, origin) }];
    const data = { ways, lede: message("newAccount.done.lede") };
    views.render(ctx, "done", { title: message("newAccount.done.title"), data });
  };

  return { show, create, showDone };
}

function interactionPageOf({ interactionUid, restartToken }: ConfirmationOrigin, token: string): string | undefined {
  if (interactionUid === undefined || restartToken === undefined) return undefined;
  return `${interactionUrl(interactionUid, restartToken, "/new-account")}&token=${encodeURIComponent(token)}`;
}

function troubleOf(error: unknown): Omit<FormTrouble, "typed"> | undefined {
  if (isAppError(error, "ACCOUNT_EMAIL_TAKEN")) return { status: error.status, alert: message("newAccount.taken") };
  return troubleOfNewPassword(error);
}
