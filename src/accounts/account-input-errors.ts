import { AppError } from "../core/index.ts";
import type { PasswordFault, PasswordRefusal } from "./passwords/password-refusal.ts";

export type AccountField = "email" | "name" | "locale" | "password";

/** A PASSWORD_UNACCEPTABLE that says why the password was refused, for the page to explain. */
export class PasswordUnacceptableError extends AppError {
  readonly reason: PasswordFault;
  readonly refusal: PasswordRefusal;

  constructor(refusal: PasswordRefusal) {
    super("PASSWORD_UNACCEPTABLE", { detail: refusal.fault });
    this.reason = refusal.fault;
    this.refusal = refusal;
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
