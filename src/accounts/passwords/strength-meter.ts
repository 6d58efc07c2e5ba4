import { type MatchExtended, type OptionsDictionary, ZxcvbnFactory } from "@zxcvbn-ts/core";
import { adjacencyGraphs, dictionary as common } from "@zxcvbn-ts/language-common";
import { dictionary as german } from "@zxcvbn-ts/language-de";
import { dictionary as english } from "@zxcvbn-ts/language-en";
import { dictionary as french } from "@zxcvbn-ts/language-fr";
import type { PasswordStrength, PasswordWeakness } from "./password-refusal.ts";

/** How much is looked at in one piece, in code points: the work grows faster than the length. */
const PIECE_CHARACTERS_MAX = 64;
/** How many spellings without `l33t` are tried. A hundred, the default, take a second for a long password. */
const SPELLINGS_MAX = 10;
const WEAKNESSES_SHOWN_MAX = 3;

/** What is told of a part of the password, by the pattern that was found in it. What is not here cannot be foreseen. */
const WEAKNESS_OF_PATTERN: Readonly<Record<string, PasswordWeakness>> = {
  spatial: "keyboard",
  sequence: "sequence",
  repeat: "repetition",
  date: "date",
  regex: "date",
};

/** By how the name of the dictionary begins. */
const WEAKNESS_OF_DICTIONARY: readonly (readonly [string, PasswordWeakness])[] = [
  ["userInputs", "own_word"],
  ["passwords", "common_password"],
  ["firstnames", "name"],
  ["lastnames", "name"],
  ["commonWords", "word"],
  ["wikipedia", "word"],
  ["diceware", "word"],
];

export interface StrengthMeter {
  /** @param ownWords what an attacker who knows the person tries first, in lower case. */
  measure(password: string, ownWords: readonly string[]): PasswordStrength;
}

/**
 * Estimates with zxcvbn how many guesses a password withstands. Takes dozens of megabytes, and up to a fifth of a second:
 * it belongs into a process of its own.
 *
 * Of a long password both ends are measured, and the stronger one counts: the whole withstands at least as much.
 */
export function createStrengthMeter(): StrengthMeter {
  const zxcvbn = new ZxcvbnFactory({
    dictionary: {
      ...wordsOf(common),
      ...wordsOf(english),
      ...wordsOf(french),
      ...wordsOf(german),
    },
    graphs: adjacencyGraphs,
    l33tMaxSubstitutions: SPELLINGS_MAX,
    maxLength: 2 * PIECE_CHARACTERS_MAX, // in UTF-16
  });
  const measurePiece = (piece: string, ownWords: readonly string[]): PasswordStrength => {
    const { score, sequence } = zxcvbn.check(piece, [...ownWords]);
    return { level: score, weaknesses: listWeaknesses(sequence) };
  };
  return {
    measure(password, ownWords) {
      const characters = Array.from(password.normalize("NFC"));
      const head = measurePiece(characters.slice(0, PIECE_CHARACTERS_MAX).join(""), ownWords);
      if (characters.length <= PIECE_CHARACTERS_MAX) return head;
      const tail = measurePiece(characters.slice(-PIECE_CHARACTERS_MAX).join(""), ownWords);
      return tail.level > head.level ? tail : head;
    },
  };
}

/** Without the lists whose order counts (months, the letters on the radio): they are found in what is no such list. */
function wordsOf(dictionary: OptionsDictionary): OptionsDictionary {
  return Object.fromEntries(Object.entries(dictionary).filter(([name]) => weaknessOfDictionary(name) !== undefined));
}

/** Of the longest parts first. */
function listWeaknesses(sequence: readonly MatchExtended[]): readonly PasswordWeakness[] {
  const parts = sequence.toSorted((left, right) => right.token.length - left.token.length);
  const found = parts.map((part) => weaknessOf(part)).filter((weakness) => weakness !== undefined);
  const shown = [...new Set(found)].slice(0, WEAKNESSES_SHOWN_MAX);
  return shown.length === 0 ? ["too_little_else"] : shown;
}

function weaknessOf({ pattern, ...part }: MatchExtended): PasswordWeakness | undefined {
  if (pattern !== "dictionary") return WEAKNESS_OF_PATTERN[pattern];
  return "dictionaryName" in part ? weaknessOfDictionary(String(part.dictionaryName)) : undefined;
}

function weaknessOfDictionary(name: string): PasswordWeakness | undefined {
  return WEAKNESS_OF_DICTIONARY.find(([beginning]) => name.startsWith(beginning))?.[1];
}
