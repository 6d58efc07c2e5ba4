import type { Context } from "koa";
import { z } from "zod";
import { AccountFieldInvalidError, PasswordUnacceptableError } from "../accounts/index.ts";
import { isAppError } from "../core/index.ts";
import {
  type FieldError,
  fieldMessage,
  type FormTrouble,
  message,
  newPasswordError,
  type SentForm,
  troubleOfLimits,
} from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import type { InteractionDependencies } from "./ports.ts";
import { looksLikeEmail, type RequestPages } from "./request-pages.ts";
import { sourceOf } from "./request-source.ts";
import type { SignInChain } from "./sign-in-chain.ts";

/** What a page can tell at once; what an address, a name or a password may be, the accounts decide. */
export const createAccountForm = z.object({
  name: z.string(fieldMessage("field.name.missing")).trim().min(1, fieldMessage("field.name.missing")),
  email: z
    .string(fieldMessage("field.email.invalid"))
    .trim()
    .refine(looksLikeEmail, fieldMessage("field.email.invalid")),
  password: z.string(fieldMessage("field.newPassword.missing")).min(1, fieldMessage("field.newPassword.missing")),
});

export type CreateAccountForm = SentForm<z.infer<typeof createAccountForm>>;

type Dependencies = Pick<InteractionDependencies, "accounts" | "views" | "clientAddress"> & {
  readonly chain: SignInChain;
};

/** Creates an account and signs the person in with it. */
export function createRegistration({ accounts, views, clientAddress, chain }: Dependencies, pages: RequestPages) {
  return async (ctx: Context, interaction: PendingInteraction, form: CreateAccountForm): Promise<void> => {
    const { typed } = form;
    if (form.kind === "faulty") {
      return pages.showCreateAccount(ctx, interaction, { status: 400, fieldErrors: form.errors, typed });
    }
    try {
      const person = { ...form.values, locale: views.localeFor(ctx, interaction.uiLocales) };
      const account = await accounts.register(person, sourceOf(ctx, clientAddress));
      return await chain.prove(ctx, interaction, { accountId: account.id, proof: "password" });
    } catch (error) {
      const trouble = troubleOfLimits(ctx, error) ?? troubleOfFields(error);
      if (trouble === undefined) throw error;
      return pages.showCreateAccount(ctx, interaction, { ...trouble, typed });
    }
  };
}

export function troubleOfFields(error: unknown): Omit<FormTrouble, "typed"> | undefined {
  const fieldError = fieldErrorOf(error);
  if (fieldError === undefined) return undefined;
  return { status: isAppError(error) ? error.status : 400, fieldErrors: [fieldError] };
}

/** What an account refused, as a sentence beside its field. */
function fieldErrorOf(error: unknown): FieldError | undefined {
  if (isAppError(error, "ACCOUNT_EMAIL_TAKEN")) return { field: "email", message: message("field.email.taken") };
  if (error instanceof PasswordUnacceptableError) return newPasswordError("password", error.refusal);
  if (!(error instanceof AccountFieldInvalidError)) return undefined;
  if (error.field === "email") return { field: "email", message: message("field.email.invalid") };
  if (error.field === "name") return { field: "name", message: message("field.name.invalid") };
  return undefined;
}
