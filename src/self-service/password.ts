import type { Context } from "koa";
import { z } from "zod";
import { AccountFieldInvalidError, PasswordUnacceptableError } from "../accounts/index.ts";
import {
  type FieldError,
  fieldMessage,
  type FormTrouble,
  message,
  newPasswordError,
  seeOther,
  throttleTrouble,
  troubleOfLimits,
} from "../http/index.ts";
import { withNotice } from "./notices.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import type { Person, PersonFormStep, SignedInPages } from "./signed-in.ts";

const required = fieldMessage("field.currentPassword.missing");
const requiredNew = fieldMessage("field.newPassword.missing");

export const passwordForm = z.object({
  current: z.string(required).min(1, required),
  next: z.string(requiredNew).min(1, requiredNew),
  endOthers: z.literal("yes").optional(),
});

type PasswordForm = z.infer<typeof passwordForm>;

/**
 * Changes the password. The current one is asked for in the form itself, so that no proof from before is needed; it is
 * counted like a sign-in.
 */
export function createPassword(
  { accounts, sessions, browserTokenOf }: Pick<SelfServiceDependencies, "accounts" | "sessions" | "browserTokenOf">,
  pages: SignedInPages,
) {
  const showForm = (ctx: Context, person: Person, trouble?: FormTrouble): void => {
    const title = message("password.title");
    pages.show(ctx, person, { view: "account-password", item: "profile", title, typed: { endOthers: "yes" }, trouble });
  };

  async function change(ctx: Context, { account, session }: Person, values: PasswordForm) {
    const { current, next, endOthers } = values;
    const from = { source: pages.sourceOf(ctx), browserToken: browserTokenOf(ctx) };
    const result = await accounts.changePassword(account.id, { current, next, ...from });
    if (result.outcome === "throttled") return throttleTrouble(ctx, result);
    if (result.outcome === "refused") {
      return { status: 400, fieldErrors: [{ field: "current", message: message("field.currentPassword.wrong") }] };
    }
    if (endOthers === "yes") await sessions.endOthers(account.id, session.sessionId, "password_changed");
    seeOther(ctx, withNotice("/account", endOthers === "yes" ? "password-and-others" : "password"));
    return undefined;
  }

  const send: PersonFormStep<PasswordForm> = async (ctx, person, form) => {
    const { typed } = form;
    if (form.kind === "faulty") return showForm(ctx, person, { status: 400, fieldErrors: form.errors, typed });
    try {
      const trouble = await change(ctx, person, form.values);
      if (trouble !== undefined) showForm(ctx, person, { ...trouble, typed });
    } catch (error) {
      const fieldErrors = fieldErrorsOf(error);
      const trouble = fieldErrors === undefined ? troubleOfLimits(ctx, error) : { status: 400, fieldErrors };
      if (trouble === undefined) throw error;
      showForm(ctx, person, { ...trouble, typed });
    }
  };

  return { showForm: async (ctx: Context, person: Person) => showForm(ctx, person), send };
}

/** What is wrong with the new password, beside its field. */
function fieldErrorsOf(error: unknown): readonly FieldError[] | undefined {
  if (error instanceof PasswordUnacceptableError) return [newPasswordError("next", error.refusal)];
  if (!(error instanceof AccountFieldInvalidError)) return undefined;
  return [{ field: "next", message: message("field.newPassword.unacceptable") }];
}
