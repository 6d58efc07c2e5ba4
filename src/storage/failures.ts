import { AppError } from "../core/index.ts";

/**
 * SQLSTATE classes that say that the server, not the statement, is at fault (PostgreSQL manual, appendix A). Among them
 * is what is written to a server that only reads: a standby that is about to take over, or one that was replaced.
 */
const UNAVAILABLE_SQLSTATE = /^(08|53|57P|58|25006)/;
const READ_ONLY_SQLSTATE = "25006";
const UNIQUE_VIOLATION_SQLSTATE = "23505";
/** The connection is gone, and the statement's answer with it. */
const BROKEN_SQLSTATE = /^(08|57P0[12])/;
const BROKEN_NODE_CODE = /^(ECONNRESET|EPIPE)/;
const BROKEN_MESSAGE = /Connection terminated|is not queryable/;
const UNAVAILABLE_NODE_CODE = /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN)/;
const UNAVAILABLE_MESSAGE =
  /timeout exceeded when trying to connect|Query read timeout|Connection terminated|is not queryable|connection has been discarded|Connection is closed|Command timed out|Stream isn't writeable|max retries per request|LOADING|READONLY|MASTERDOWN/;
/** The driver's words. */
const LATE_ANSWER = "Query read timeout";
/**
 * What Redis says when it takes no writes: its memory is full, its disk is, or the replicas that have to be there are not.
 * `BUSY` is a script, somebody's, that does not end.
 */
const REFUSED_BY_REDIS = /^(OOM|MISCONF|NOREPLICAS|BUSY) /;

/**
 * Whether an error means that Postgres or Redis is away, as opposed to a bug of ours. The drivers give several of
 * these no code, so that their messages are all there is to go by.
 */
export function isStoreFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return (
    UNAVAILABLE_NODE_CODE.test(code) ||
    (code.length === 5 && UNAVAILABLE_SQLSTATE.test(code)) ||
    UNAVAILABLE_MESSAGE.test(error.message) ||
    REFUSED_BY_REDIS.test(error.message) ||
    error.name === "MaxRetriesPerRequestError"
  );
}

/** Whether a connection to Postgres broke, as opposed to a server that is slow or cannot be reached at all. */
export function isBrokenConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return BROKEN_SQLSTATE.test(code) || BROKEN_NODE_CODE.test(code) || BROKEN_MESSAGE.test(error.message);
}

/** Whether Postgres did not answer in time. */
export function isLateAnswer(error: unknown): boolean {
  return error instanceof Error && error.message === LATE_ANSWER;
}

/** Whether two wanted what only one can have: a row with this value was there already. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === UNIQUE_VIOLATION_SQLSTATE;
}

/** Whether Postgres refused to write because it only reads. */
export function isReadOnlyServer(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === READ_ONLY_SQLSTATE;
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
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
