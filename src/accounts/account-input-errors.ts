import { AppError } from "../core/index.ts";
import type { PasswordFault } from "./passwords/password-rules.ts";

export type AccountField = "email" | "name" | "locale" | "password";

/** A PASSWORD_UNACCEPTABLE that says which rule refused the password, for the page to explain. */
export class PasswordUnacceptableError extends AppError {
  readonly reason: PasswordFault;

  constructor(reason: PasswordFault) {
    super("PASSWORD_UNACCEPTABLE", { detail: reason });
    this.reason = reason;
  }
}

/** An INPUT_INVALID that says which field could not be used, for the page to point at. */
export class AccountFieldInvalidError extends AppError {
  readonly field: AccountField;

  constructor(field: AccountField) {
    super("INPUT_INVALID", { detail: field });
    this.field = field;
  }
}
