import type { Context, Middleware } from "koa";
import { randomToken, stopwatchMs } from "../core/index.ts";
import { factsOf, type Logger, outcomeOf, type RequestOutcome } from "../observability/index.ts";

/** A request that is over, for whoever counts. */
export interface AnsweredRequest {
  readonly method: string;
  readonly route: string | undefined;
  readonly status: number;
  readonly outcome: RequestOutcome;
  readonly reason: string | undefined;
  readonly tookMs: number;
}

export interface RequestLogDependencies {
  readonly logger: Logger;
  readonly onAnswered?: ((request: AnsweredRequest) => void) | undefined;
}

/**
 * Gives every request a random id, tells it to the client as `X-Request-Id`, and writes one line when the request is
 * over. An id that the client sends is not taken over: it could forge another request's lines.
 */
export function createRequestLog({ logger, onAnswered }: RequestLogDependencies): Middleware {
  return async (ctx, next) => {
    const startedAtMs = stopwatchMs();
    const id = randomToken(12);
    ctx.state["requestId"] = id;
    ctx.set("X-Request-Id", id);
    try {
      await next();
    } finally {
      const tookMs = stopwatchMs() - startedAtMs;
      const { method, status } = ctx;
      const { route, reason, reference, traceId } = factsOf(ctx);
      const outcome = outcomeOf(status, reason);
      const path = loggablePath(ctx.path);
      const rounded = Math.round(tookMs * 10) / 10;
      logger.info(
        { requestId: id, method, path, route, status, outcome, reason, reference, traceId, tookMs: rounded },
        "request",
      );
      onAnswered?.({ method, route, status, outcome, reason, tookMs });
    }
  };
}

/** The id that leads from a page or a record to the log lines of its request. */
export function requestIdOf(ctx: Context): string {
  const id: unknown = ctx.state["requestId"];
  return typeof id === "string" ? id : "none";
}

const ID_LENGTH_MIN = 20;

/** Without the query, and without path segments that look like the id of a request or a token. */
function loggablePath(path: string): string {
  if (path.length < ID_LENGTH_MIN) return path;
  const isWord = (segment: string): boolean => segment.length < ID_LENGTH_MIN || /^[a-z.-]+$/.test(segment);
  return path
    .slice(0, 200)
    .split("/")
    .map((segment) => (isWord(segment) ? segment : ":id"))
    .join("/");
}
