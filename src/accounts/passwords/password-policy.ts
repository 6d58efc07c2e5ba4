import { AccountFieldInvalidError, PasswordUnacceptableError } from "../account-input-errors.ts";
import { checkPassword, type OwnWords } from "./password-rules.ts";

/**
 * Decides whether a password may be chosen. Everything that sets one asks here: registration, a change, a reset, and
 * the command line.
 */
export interface PasswordPolicy {
  /**
   * Resolves when the password may be chosen.
   *
   * @throws PasswordUnacceptableError (PASSWORD_UNACCEPTABLE) with the reason, AccountFieldInvalidError (INPUT_INVALID)
   * when it is no text.
   */
  accept(password: string, own: OwnWords): Promise<void>;
}

export interface PasswordPolicyDependencies {
  /** In code points after NFC. */
  readonly charactersMin: number;
}

export function createPasswordPolicy({ charactersMin }: PasswordPolicyDependencies): PasswordPolicy {
  return {
    async accept(password, own) {
      // Half a surrogate pair has no UTF-8: all such passwords would hash alike.
      if (!password.isWellFormed()) throw new AccountFieldInvalidError("password");
      const refusal = checkPassword(password, own, charactersMin);
      if (refusal !== undefined) throw new PasswordUnacceptableError(refusal);
    },
  };
}
