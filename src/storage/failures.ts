import { AppError } from "../core/index.ts";

/** SQLSTATE classes that say that the server, not the statement, is at fault (PostgreSQL manual, appendix A). */
const UNAVAILABLE_SQLSTATE = /^(08|53|57P|58)/;
const UNAVAILABLE_NODE_CODE = /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN)/;
const UNAVAILABLE_MESSAGE =
  /timeout exceeded when trying to connect|Query read timeout|Connection terminated|is not queryable|connection has been discarded|Connection is closed|Command timed out|Stream isn't writeable|max retries per request|LOADING|READONLY|MASTERDOWN/;

/**
 * Whether an error means that Postgres or Redis is away, as opposed to a bug of ours. The drivers give several of
 * these no code, so that their messages are all there is to go by.
 */
export function isStoreFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return (
    UNAVAILABLE_NODE_CODE.test(code) ||
    (code.length === 5 && UNAVAILABLE_SQLSTATE.test(code)) ||
    UNAVAILABLE_MESSAGE.test(error.message) ||
    error.name === "MaxRetriesPerRequestError"
  );
}

/** Turns a store's failure into the error that is answered with 503; anything else passes unchanged. */
export function asStoreFailure(error: unknown): unknown {
  if (!isStoreFailure(error)) return error;
  return new AppError("STORE_UNAVAILABLE", { retryAfterSeconds: 5, cause: error });
}

/** Runs a call to a store and turns the store's failure into {@link AppError} STORE_UNAVAILABLE. */
export async function guardStore<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    throw asStoreFailure(error);
  }
}
