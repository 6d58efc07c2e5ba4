import type { Context } from "koa";
import { z } from "zod";
import { EMAIL_PURPOSES } from "../../accounts/index.ts";
import { AppError, isAppError } from "../../core/index.ts";
import {
  type CodeFromMail,
  codeFromMailTrouble,
  fieldMessage,
  type FormTrouble,
  message,
  queryText,
  seeOther,
  troubleOfLimits,
} from "../../http/index.ts";
import { withNotice } from "../notices.ts";
import type { SelfServiceDependencies } from "../ports.ts";
import { troubleOfEmail } from "./form-troubles.ts";
import type { Person, PersonFormStep, PersonStep, SignedInPages } from "../signed-in.ts";

const noEmail = fieldMessage("field.email.invalid");
/** Without an address it is about the one that the account has. */
export const emailForm = z.object({ email: z.string().trim().min(1, noEmail).optional() });

const PAGE = "/account/email";

type Dependencies = Pick<SelfServiceDependencies, "accounts" | "views">;

/** The person's address: proving it, and giving the account another one. */
export function createEmail({ accounts, views }: Dependencies, pages: SignedInPages) {
  const { byMail } = accounts;

  function draw(ctx: Context, person: Person, trouble?: FormTrouble): void {
    if (!byMail.isAvailable) throw new AppError("PAGE_NOT_FOUND", { detail: "no mail is configured" });
    const { emailVerified } = person.account;
    const title = message("email.title");
    pages.show(ctx, person, { view: "account-email", item: "profile", title, data: { emailVerified }, trouble });
  }

  async function drawCode(ctx: Context, person: Person, trouble?: FormTrouble): Promise<void> {
    const id = queryText(ctx, "id");
    const pending = await byMail.findPending(id, EMAIL_PURPOSES);
    if (pending === undefined) return seeOther(ctx, PAGE);
    const data = { sentTo: pending.email, submitUrl: `${PAGE}/code?id=${encodeURIComponent(id)}`, againUrl: PAGE };
    const title = message("mailCode.title");
    pages.show(ctx, person, { view: "account-email-code", item: "profile", title, data, trouble });
  }

  /** Both ways end here: what the code proves, the link proves, too. */
  async function complete(ctx: Context, person: Person, token: string): Promise<void> {
    try {
      const done = await byMail.emailChange.complete(person.account.id, token, pages.sourceOf(ctx));
      seeOther(ctx, withNotice("/account", done === "changed" ? "email-changed" : "email-verified"));
    } catch (error) {
      // Whoever is here reads its mail: there is nothing to keep from them.
      if (!isAppError(error, "ACCOUNT_EMAIL_TAKEN")) throw error;
      draw(ctx, person, { status: error.status, alert: message("email.taken"), typed: {} });
    }
  }

  const send: PersonFormStep<z.infer<typeof emailForm>> = async (ctx, person, form) => {
    const { typed } = form;
    if (form.kind === "faulty") return draw(ctx, person, { status: 400, fieldErrors: form.errors, typed });
    try {
      const { email = person.account.email } = form.values;
      const asked = { email, locale: views.localeFor(ctx), source: pages.sourceOf(ctx) };
      seeOther(ctx, `${PAGE}/code?id=${await byMail.emailChange.begin(person.account.id, asked)}`);
    } catch (error) {
      const trouble = troubleOfEmail(error) ?? troubleOfLimits(ctx, error);
      if (trouble === undefined) throw error;
      draw(ctx, person, { ...trouble, typed });
    }
  };

  const takeCode: PersonFormStep<CodeFromMail> = async (ctx, person, form) => {
    if (form.kind === "faulty") return drawCode(ctx, person, { status: 400, fieldErrors: form.errors, typed: {} });
    const attempt = { id: queryText(ctx, "id"), purposes: EMAIL_PURPOSES, code: form.values.code };
    const outcome = await byMail.takeCode({ ...attempt, source: pages.sourceOf(ctx) });
    if (outcome.outcome === "accepted") return complete(ctx, person, outcome.token);
    await drawCode(ctx, person, { ...codeFromMailTrouble(ctx, outcome), typed: {} });
  };

  const showConfirmation: PersonStep = async (ctx, person) => {
    const token = queryText(ctx, "token");
    const { email } = await byMail.emailChange.find(person.account.id, token);
    const data = { newEmail: email, submitUrl: `${PAGE}/confirm?token=${encodeURIComponent(token)}` };
    const title = message("email.use.title");
    pages.show(ctx, person, { view: "account-email-confirm", item: "profile", title, data });
  };

  return {
    show: (async (ctx, person) => draw(ctx, person)) satisfies PersonStep,
    send,
    showCode: (async (ctx, person) => drawCode(ctx, person)) satisfies PersonStep,
    takeCode,
    showConfirmation,
    confirm: (async (ctx, person) => complete(ctx, person, queryText(ctx, "token"))) satisfies PersonStep,
  };
}
