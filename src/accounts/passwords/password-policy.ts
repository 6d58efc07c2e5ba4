import { AccountFieldInvalidError, PasswordUnacceptableError } from "../account-input-errors.ts";
import type { BreachList } from "./breach-list.ts";
import { checkPassword, listOwnWords, type OwnWords } from "./password-rules.ts";
import type { StrengthEstimator } from "./strength-estimator.ts";

/** Of zxcvbn's scores: 100 million guesses, which is hours of a machine for one password when the database was stolen. */
const LEVEL_MIN = 3;

/**
 * Decides whether a password may be chosen. Everything that sets one asks here: registration, a change, a reset, and
 * the command line.
 */
export interface PasswordPolicy {
  /**
   * Resolves when the password may be chosen.
   *
   * @throws PasswordUnacceptableError (PASSWORD_UNACCEPTABLE) with the reason, AccountFieldInvalidError (INPUT_INVALID)
   * when it is no text, AppError HASHING_BUSY when too many passwords are being chosen.
   */
  accept(password: string, own: OwnWords): Promise<void>;
}

export interface PasswordPolicyDependencies {
  /** In code points after NFC. */
  readonly charactersMin: number;
  readonly strength: StrengthEstimator;
  /** Absent when none is asked. */
  readonly breachList: BreachList | undefined;
}

/** What costs least is looked at first, and another's server is asked last: for what may be chosen otherwise. */
export function createPasswordPolicy(deps: PasswordPolicyDependencies): PasswordPolicy {
  const { charactersMin, strength, breachList } = deps;
  return {
    async accept(password, own) {
      // Half a surrogate pair has no UTF-8: all such passwords would hash alike.
      if (!password.isWellFormed()) throw new AccountFieldInvalidError("password");
      const refusal = checkPassword(password, own, charactersMin);
      if (refusal !== undefined) throw new PasswordUnacceptableError(refusal);
      const estimate = await strength.estimate({ password, ownWords: listOwnWords(own) });
      if (estimate.level < LEVEL_MIN) throw new PasswordUnacceptableError({ fault: "too_weak", strength: estimate });
      if (await breachList?.contains(password)) throw new PasswordUnacceptableError({ fault: "breached" });
    },
  };
}
