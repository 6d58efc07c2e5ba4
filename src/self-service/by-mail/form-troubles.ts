import { AccountFieldInvalidError, PasswordUnacceptableError } from "../../accounts/index.ts";
import { type FormTrouble, message, newPasswordError } from "../../http/index.ts";

type Trouble = Omit<FormTrouble, "typed">;

/** What is wrong with what was typed as an address; `undefined` when the error is about something else. */
export function troubleOfEmail(error: unknown): Trouble | undefined {
  if (!(error instanceof AccountFieldInvalidError)) return undefined;
  return { status: 400, fieldErrors: [{ field: "email", message: message("field.email.invalid") }] };
}

/** The same of a new password, and of a name beside it. */
export function troubleOfNewPassword(error: unknown): Trouble | undefined {
  if (error instanceof PasswordUnacceptableError) {
    return { status: 400, fieldErrors: [newPasswordError("password", error.refusal)] };
  }
  if (!(error instanceof AccountFieldInvalidError)) return undefined;
  const isName = error.field === "name";
  const sentence = isName ? message("field.name.invalid") : message("field.newPassword.unacceptable");
  return { status: 400, fieldErrors: [{ field: isName ? "name" : "password", message: sentence }] };
}
