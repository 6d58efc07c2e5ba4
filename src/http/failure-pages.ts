import type { Context, Middleware } from "koa";
import { AppError, type Clock, isAppError, randomReference } from "../core/index.ts";
import { type Logger, noteFacts } from "../observability/index.ts";
import { type FailureText, textOfError } from "./failure-texts.ts";
import { type Message, message } from "./messages.ts";
import { requestIdOf } from "./request-log.ts";
import type { Views } from "./views.ts";

/** A link that leads on from a page. The first of several is the one to take. */
export interface Way {
  readonly label: Message;
  readonly href: string;
}

/** A failure as a person is told of it. */
export interface Failure extends FailureText {
  readonly status: number;
  /** For the log: a code, or an OAuth error. */
  readonly reason: string;
  /** What was thrown, for the log alone. */
  readonly error?: unknown;
  readonly ways?: readonly Way[];
  /** Beside the page: something that may help. */
  readonly aside?: Message | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly uiLocales?: readonly string[] | undefined;
}

export interface FailurePages {
  /**
   * Logs the failure under a short reference and answers with a page that shows the reference; with JSON
   * (`error`, `error_description`, `reference`) where the client does not take HTML.
   */
  show(ctx: Context, failure: Failure): void;
  /** Catches whatever is thrown further in, and gives an answer without a body (404, 405) a page. */
  readonly middleware: Middleware;
}

export interface FailurePagesDependencies {
  readonly views: Views;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Turns a store's own errors into ours; anything else passes unchanged. */
  readonly translateError: (error: unknown) => unknown;
}

const DEFAULT_WAYS: readonly Way[] = [{ label: message("way.toStart"), href: "/" }];

export function createFailurePages({ views, logger, clock, translateError }: FailurePagesDependencies): FailurePages {
  function show(ctx: Context, failure: Failure): void {
    const reference = randomReference();
    record(ctx, failure, reference);
    ctx.remove("ETag");
    ctx.remove("Location");
    ctx.set("Cache-Control", "no-store");
    if (failure.retryAfterSeconds !== undefined) ctx.set("Retry-After", String(failure.retryAfterSeconds));
    if (ctx.accepts("html", "json") === "json") return answerJson(ctx, failure, reference);
    const { title, uiLocales, status, text, aside, retryAfterSeconds, ways = DEFAULT_WAYS } = failure;
    const data = { text, aside, retryAfterSeconds, ways, reference, atMs: clock.nowMs() };
    views.render(ctx, "failure", { title, uiLocales, data }, { status });
  }

  function record(ctx: Context, { status, reason, error }: Failure, reference: string): void {
    noteFacts(ctx, { reason, reference });
    const fields = { requestId: requestIdOf(ctx), reference, status, reason, ...describe(error, status) };
    if (isOurs(status)) logger.error(fields, "request failed");
    else logger.warn(fields, "request refused");
  }

  return {
    show,
    async middleware(ctx, next) {
      try {
        await next();
        const isBare = ctx.status >= 400 && ctx.body === undefined && ctx.respond !== false;
        if (isBare && !ctx.headerSent) show(ctx, failureOf(bareStatusError(ctx.status), ctx.status));
      } catch (thrown) {
        const error = translateError(thrown);
        show(ctx, failureOf(error, statusOf(error)));
      }
    },
  };
}

function failureOf(error: unknown, status: number): Failure {
  return {
    ...textOfError(error, status),
    status,
    reason: isAppError(error) ? error.code : isOurs(status) ? "SERVER_ERROR" : "INPUT_INVALID",
    error,
    retryAfterSeconds: isAppError(error) ? error.retryAfterSeconds : undefined,
  };
}

/** Whether a failure is ours to mend. A method that nobody offers (501) is the client's mistake. */
function isOurs(status: number): boolean {
  return status >= 500 && status !== 501;
}

function bareStatusError(status: number): AppError | undefined {
  return status === 404 ? new AppError("PAGE_NOT_FOUND") : undefined;
}

/** The status of our errors, and of client errors that Koa or a parser threw (`HttpError`); all else is ours to mend. */
function statusOf(error: unknown): number {
  if (isAppError(error)) return error.status;
  const isHttpError = error instanceof Error && "status" in error && "expose" in error && error.expose === true;
  const status = isHttpError ? Number(error.status) : 500;
  return status >= 400 && status < 500 ? status : 500;
}

/** What the log may know of an error. Drivers hang values of rows onto theirs, so fields are chosen, not copied. */
function describe(error: unknown, status: number): Readonly<Record<string, unknown>> {
  const detail = isAppError(error) ? error.detail : undefined;
  const cause = isAppError(error) ? error.cause : error;
  if (!(cause instanceof Error)) return { detail, cause: cause === undefined ? undefined : { type: typeof cause } };
  // Where in the code a refusal was decided helps nobody; where a bug struck does.
  const stack = status >= 500 ? cause.stack : undefined;
  return { detail, cause: { type: cause.name, message: cause.message, stack } };
}

function answerJson(ctx: Context, failure: Failure, reference: string): void {
  ctx.status = failure.status;
  ctx.body = { error: oauthError(failure.status), error_description: sentenceOf(failure), reference };
}

function sentenceOf({ error, status }: Failure): string {
  if (isAppError(error)) return error.sentence;
  return status >= 500 ? new AppError("SERVER_ERROR").sentence : new AppError("INPUT_INVALID").sentence;
}

/** @see RFC 6749, section 4.1.2.1 */
function oauthError(status: number): string {
  if (status === 503 || status === 429) return "temporarily_unavailable";
  return status >= 500 ? "server_error" : "invalid_request";
}
