import { AppError } from "../../core/index.ts";

/**
 * An ending that is committed while the protocol store is away. Whoever asked for it is told to ask again: until the
 * store answers and the sweep has been there, it still says what it said before.
 */
export function incompleteEnding(): AppError {
  return new AppError("STORE_UNAVAILABLE", {
    detail: "the ending is noted and will be completed",
    retryAfterSeconds: 5,
  });
}
