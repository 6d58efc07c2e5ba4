import { parseVisibleText } from "../accounts/index.ts";
import { AppError } from "../core/index.ts";

const NAME_CHARACTERS_MAX = 60;

/** Reads the name that a person gives a factor. @throws AppError INPUT_INVALID */
export function parseFactorName(typed: string): string {
  const name = parseVisibleText(typed, NAME_CHARACTERS_MAX);
  if (name === undefined) throw new AppError("INPUT_INVALID", { detail: "the name of a factor" });
  return name;
}
