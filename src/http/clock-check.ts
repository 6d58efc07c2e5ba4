import type { Middleware } from "koa";
import { AppError } from "../core/index.ts";

const RETRY_AFTER_SECONDS = 5;

export interface ClockCheckDeps {
  readonly isClockRight: () => boolean;
  /** What may be read all the same: nothing of it depends on the time. */
  readonly isTimeless: (path: string) => boolean;
}

/**
 * Answers 503 while the clock of this node is wrong: whatever it issued or judged would live too long. That holds for
 * answers that were under way when it was set, too.
 */
export function createClockCheck({ isClockRight, isTimeless }: ClockCheckDeps): Middleware {
  return async (ctx, next) => {
    const needsTime = !isTimeless(ctx.path);
    if (needsTime && !isClockRight()) throw clockWrong();
    await next();
    if (!needsTime || isClockRight() || ctx.headerSent) return;
    ctx.remove("Set-Cookie");
    throw clockWrong();
  };
}

function clockWrong(): AppError {
  return new AppError("CLOCK_WRONG", { retryAfterSeconds: RETRY_AFTER_SECONDS });
}
