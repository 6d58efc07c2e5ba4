/** What makes a password easy to guess, the heaviest first. */
export type PasswordWeakness =
  | "own_word"
  | "common_password"
  | "name"
  | "word"
  | "keyboard"
  | "sequence"
  | "repetition"
  | "date"
  | "too_little_else";

/** How well a password withstands guessing, as zxcvbn has it. */
export interface PasswordStrength {
  /** 0: guessed at once, to 4: not guessed. */
  readonly level: 0 | 1 | 2 | 3 | 4;
  readonly weaknesses: readonly PasswordWeakness[];
}

/** Why a password may not be chosen, with what a page needs to explain it. */
export type PasswordRefusal =
  | { readonly fault: "too_short"; readonly charactersMin: number }
  | { readonly fault: "too_long" | "too_common" | "own_words" | "breached" }
  | { readonly fault: "too_weak"; readonly strength: PasswordStrength };

export type PasswordFault = PasswordRefusal["fault"];
