import { isAppError } from "../core/index.ts";
import type { Seen } from "./finding.ts";

const WORDS_MAX = 160;

/** Looks, and says why it could not instead of failing. */
export async function see<Value>(look: () => Promise<Value>): Promise<Seen<Value>> {
  try {
    return { isSeen: true, value: await look() };
  } catch (error) {
    return { isSeen: false, because: wordTrouble(error) };
  }
}

/** The first words of what is at the bottom of it. Drivers say there who refused what, and never a password. */
function wordTrouble(error: unknown): string {
  if (isAppError(error) && error.detail !== undefined) return error.detail;
  if (!(error instanceof Error)) return "for no reason that was told";
  if (error.cause !== undefined) return wordTrouble(error.cause);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const [message = ""] = error.message.split("\n");
  return (message || code || error.name).slice(0, WORDS_MAX);
}
