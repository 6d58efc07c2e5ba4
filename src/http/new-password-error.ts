import type { MessageKey } from "../../views/messages/index.ts";
import type { FieldError, ShownStrength } from "./form.ts";
import { type Message, message } from "./messages.ts";

/** Why a new password was refused. */
type RefusedPassword =
  | { readonly fault: "too_short"; readonly charactersMin: number }
  | { readonly fault: keyof typeof SENTENCES }
  | { readonly fault: "too_weak"; readonly strength: Strength };

interface Strength {
  readonly level: keyof typeof LEVELS;
  readonly weaknesses: readonly (keyof typeof WEAKNESSES)[];
}

const SENTENCES = {
  too_long: "field.newPassword.tooLong",
  too_common: "field.newPassword.tooCommon",
  own_words: "field.newPassword.ownWords",
  breached: "field.newPassword.breached",
} as const satisfies Record<string, MessageKey>;

const LEVELS = {
  0: "strength.level.0",
  1: "strength.level.1",
  2: "strength.level.2",
  3: "strength.level.3",
  4: "strength.level.4",
} as const satisfies Record<number, MessageKey>;

const WEAKNESSES = {
  own_word: "strength.ownWord",
  common_password: "strength.commonPassword",
  name: "strength.name",
  word: "strength.word",
  keyboard: "strength.keyboard",
  sequence: "strength.sequence",
  repetition: "strength.repetition",
  date: "strength.date",
  too_little_else: "strength.tooLittleElse",
} as const satisfies Record<string, MessageKey>;

/** The sentence beside a new password that was refused, and how strong it is where that is the reason. */
export function newPasswordError(field: string, refused: RefusedPassword): FieldError {
  return { field, message: sentenceOf(refused), ...strengthOf(refused) };
}

function sentenceOf(refused: RefusedPassword): Message {
  if (refused.fault === "too_short") {
    return message("field.newPassword.tooShort", { count: String(refused.charactersMin) });
  }
  return message(refused.fault === "too_weak" ? "field.newPassword.tooWeak" : SENTENCES[refused.fault]);
}

function strengthOf(refused: RefusedPassword): { readonly strength?: ShownStrength } {
  if (refused.fault === "too_weak") return { strength: inWords(refused.strength) };
  const isGuessedFirst = refused.fault !== "too_short" && refused.fault !== "too_long";
  return isGuessedFirst ? { strength: inWords({ level: 0, weaknesses: [] }) } : {};
}

function inWords({ level, weaknesses }: Strength): ShownStrength {
  const reasons = weaknesses.map((weakness) => message(WEAKNESSES[weakness]));
  return { level, words: message(LEVELS[level]), reasons };
}
