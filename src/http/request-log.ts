import type { Context, Middleware } from "koa";
import { type Clock, randomToken } from "../core/index.ts";
import type { Logger } from "../observability/index.ts";

export interface RequestLogDependencies {
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * Gives every request a random id, tells it to the client as `X-Request-Id`, and writes one line when the request is
 * over. An id that the client sends is not taken over: it could forge another request's lines.
 */
export function createRequestLog({ logger, clock }: RequestLogDependencies): Middleware {
  return async (ctx, next) => {
    const startedAtMs = clock.nowMs();
    const id = randomToken(12);
    ctx.state["requestId"] = id;
    ctx.set("X-Request-Id", id);
    try {
      await next();
    } finally {
      const tookMs = clock.nowMs() - startedAtMs;
      const { method, status } = ctx;
      logger.info({ requestId: id, method, path: loggablePath(ctx.path), status, tookMs }, "request");
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
