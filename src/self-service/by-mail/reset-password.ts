import type { Context } from "koa";
import { z } from "zod";
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
import type { SelfServiceDependencies } from "../ports.ts";
import { troubleOfNewPassword } from "./form-troubles.ts";
import { newPasswordUrl, RESET_PAGE, resetFactorUrl } from "./reset-urls.ts";
import { originOf, signInUrlOf, withRestart } from "./way-back.ts";

const noPassword = fieldMessage("field.newPassword.missing");
const passwordForm = z.object({ password: z.string(noPassword).min(1, noPassword) });

type Dependencies = Pick<
  SelfServiceDependencies,
  "accounts" | "factors" | "views" | "csrf" | "clientAddress" | "browserSessions" | "noteBrowser"
>;

/**
 * The second half of a reset: whoever has proved that they read the mail, and their second factor if they have one, chooses
 * a password. Each page carries what the one before has proved; none of it is in a cookie.
 */
export function createResetPassword(dependencies: Dependencies) {
  const { accounts, factors, views, csrf, clientAddress, browserSessions, noteBrowser } = dependencies;
  const { passwordReset } = accounts.byMail;
  const needsFactor = (accountId: string): Promise<boolean> => factors.hasAny(accountId);

  async function draw(ctx: Context, trouble?: FormTrouble): Promise<void> {
    const token = queryText(ctx, "token");
    const { id, account, isFactorProved } = await passwordReset.find(token);
    if (!isFactorProved && (await needsFactor(account.id)))
      return seeOther(ctx, resetFactorUrl("second-factor", token));
    const { status = 200, ...errors } = trouble ?? {};
    const data = { hidden: { csrf: csrf.token(id) }, email: account.email, submitUrl: newPasswordUrl(token) };
    const uiLocales = account.locale === undefined ? undefined : [account.locale];
    const title = message("reset.new.title");
    views.render(ctx, "reset-password-new", { title, uiLocales, data, ...errors }, { status });
  }

  const setPassword: RouteStep = async (ctx) => {
    const form = await readForm(ctx, passwordForm);
    const token = queryText(ctx, "token");
    const { id, account } = await passwordReset.find(token);
    csrf.check(ctx, id, form.typed["csrf"]);
    if (form.kind === "faulty") return draw(ctx, { status: 400, fieldErrors: form.errors, typed: {} });
    try {
      const source = { address: clientAddress(ctx), requestId: requestIdOf(ctx) };
      const outcome = await passwordReset.complete(token, { password: form.values.password, source, needsFactor });
      if (outcome.outcome === "factor_needed") return seeOther(ctx, resetFactorUrl("second-factor", token));
      // Whoever guesses at the account goes on after a reset, and would use up the tries at the new password at once.
      await noteBrowser(ctx, account.id);
      seeOther(ctx, withRestart(`${RESET_PAGE}/done`, outcome.origin));
    } catch (error) {
      const trouble = troubleOfNewPassword(error) ?? troubleOfLimits(ctx, error);
      if (trouble === undefined) throw error;
      await draw(ctx, { ...trouble, typed: {} });
    }
  };

  const showDone: RouteStep = async (ctx) => {
    const origin = originOf(ctx);
    const label = message(origin.restartToken === undefined ? "signIn.button" : "way.continueSignIn");
    const ways = [{ label, href: signInUrlOf(browserSessions, origin) }];
    const data = { ways, lede: message("reset.done.lede"), aside: message("reset.done.assure") };
    views.render(ctx, "done", { title: message("reset.done.title"), data });
  };

  return { showPassword: (async (ctx) => draw(ctx)) satisfies RouteStep, setPassword, showDone };
}
