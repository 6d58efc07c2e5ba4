/**
 * Every failure that we expect, with the HTTP status and the sentence that the outside may see.
 *
 * Codes are never reused and never matched by text. What explains the failure to an operator goes into `detail` and
 * `cause`, which are logged and never sent.
 */
const ERROR_CATALOGUE = {
  ACCOUNT_EMAIL_TAKEN: { status: 409, sentence: "An account with this email address exists already." },
  ACCOUNT_NOT_FOUND: { status: 404, sentence: "There is no such account." },
  AUDIT_KEY_PRESENT: { status: 409, sentence: "The key of the audit log was not lost." },
  AUDIT_NOT_SEALED: { status: 404, sentence: "Nothing of the audit log has been signed yet." },
  BACKUP_FILE_EXISTS: { status: 409, sentence: "There is a file of that name." },
  BACKUP_FILE_UNUSABLE: { status: 400, sentence: "This file cannot be restored." },
  BACKUP_FILE_UNWRITABLE: { status: 500, sentence: "The backup could not be written." },
  BODY_TOO_LARGE: { status: 413, sentence: "What was sent is larger than this server accepts." },
  CLIENT_EXISTS: { status: 409, sentence: "A client with this id exists already." },
  CLIENT_HAS_NO_SECRET: { status: 409, sentence: "This client does not sign in with a secret." },
  CLIENT_INVALID: { status: 400, sentence: "The client's settings are not valid." },
  CLIENT_NOT_FOUND: { status: 404, sentence: "There is no such client." },
  CLOCK_WRONG: { status: 503, sentence: "This server's clock is wrong. Try again shortly." },
  CONFIRMATION_OVER: { status: 400, sentence: "This link or code can't be used any more." },
  CSRF_INVALID: { status: 403, sentence: "This form was not sent from the page that it belongs to." },
  DATABASE_NEWER: { status: 500, sentence: "The database is of a newer version of Latchkey." },
  DATA_DIRECTORY_ABSENT: { status: 404, sentence: "There is no embedded database in the data directory." },
  DATA_DIRECTORY_NOT_EMPTY: { status: 409, sentence: "The data directory is not empty." },
  DATA_DIRECTORY_UNFINISHED: { status: 500, sentence: "A restore into the data directory was cut short." },
  DATA_NOT_EMBEDDED: { status: 400, sentence: "This command is for embedded data, and DATABASE_URL is set." },
  DECLARATION_INVALID: { status: 400, sentence: "The file cannot be applied." },
  FACTOR_LIMIT_REACHED: { status: 409, sentence: "This account has as many sign-in methods of this kind as it may." },
  FACTOR_NOT_FOUND: { status: 404, sentence: "There is no such sign-in method." },
  HASHING_BUSY: { status: 503, sentence: "Too many people are signing in right now. Try again in a few seconds." },
  HOST_UNKNOWN: { status: 421, sentence: "This server does not answer for that host name." },
  INPUT_INVALID: { status: 400, sentence: "What was sent could not be understood." },
  INTERACTION_EXPIRED: { status: 400, sentence: "This sign-in has expired." },
  KEY_IN_USE: { status: 409, sentence: "This key signs tokens." },
  KEY_NOT_FOUND: { status: 404, sentence: "There is no such key." },
  KEY_NOT_READY: { status: 409, sentence: "The next key has not been published for long enough." },
  MIGRATIONS_PENDING: { status: 500, sentence: "The database is not up to date." },
  MOVE_REFUSED: { status: 409, sentence: "The data cannot be moved there." },
  PAGE_NOT_FOUND: { status: 404, sentence: "There is no such page." },
  PASSWORD_UNACCEPTABLE: { status: 400, sentence: "This password cannot be used." },
  RESOURCE_SERVER_EXISTS: { status: 409, sentence: "A resource server with this identifier exists already." },
  RESOURCE_SERVER_IN_USE: { status: 409, sentence: "Clients still ask for what would be taken away." },
  RESOURCE_SERVER_INVALID: { status: 400, sentence: "The resource server's settings are not valid." },
  RESOURCE_SERVER_NOT_FOUND: { status: 404, sentence: "There is no such resource server." },
  SECRET_UNKNOWN: { status: 500, sentence: "This server cannot read its own keys." },
  SERVER_ERROR: { status: 500, sentence: "Something went wrong on our side." },
  SESSION_LIMIT_REACHED: { status: 403, sentence: "This account is signed in on as many devices as it may be." },
  SESSION_NOT_FOUND: { status: 404, sentence: "There is no such session." },
  SIGNING_UNAVAILABLE: { status: 503, sentence: "This server cannot sign right now. Try again shortly." },
  SIGN_IN_REFUSED: { status: 400, sentence: "That email and password don't match." },
  STORE_UNAVAILABLE: { status: 503, sentence: "This server cannot reach its storage right now. Try again shortly." },
  THROTTLED: { status: 429, sentence: "Too many attempts. Wait a little and try again." },
  TOKEN_UNKNOWN: { status: 404, sentence: "This is no token of ours that is alive." },
  WEBHOOK_EXISTS: { status: 409, sentence: "A webhook with this id exists already." },
  WEBHOOK_INVALID: { status: 400, sentence: "The webhook's settings are not valid." },
  WEBHOOK_LIMIT_REACHED: { status: 409, sentence: "There are as many webhooks as there may be." },
  WEBHOOK_NOT_FOUND: { status: 404, sentence: "There is no such webhook." },
} as const satisfies Record<string, { status: number; sentence: string }>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

export interface AppErrorOptions {
  /** For the log only. Holds no secret and no personal data. */
  readonly detail?: string;
  /** Seconds after which trying again makes sense; sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** A failure that we expect: bad input, a limit that was reached, a store that is away. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  /** The sentence that may be shown to anybody. */
  readonly sentence: string;
  readonly detail: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    super(options.detail === undefined ? code : `${code}: ${options.detail}`, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.status = ERROR_CATALOGUE[code].status;
    this.sentence = ERROR_CATALOGUE[code].sentence;
    this.detail = options.detail;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}
