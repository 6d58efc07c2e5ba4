import type { Middleware } from "koa";
import { AppError } from "../core/index.ts";

const RETRY_AFTER_SECONDS = 5;

export interface ClockCheckDeps {
  readonly isClockRight: () => boolean;
  /** What may be read all the same: nothing of it depends on the time. */
  readonly isTimeless: (path: string) => boolean;
}

/** Answers 503 while the clock of this node is wrong: whatever it issued or judged would live too long. */
export function createClockCheck({ isClockRight, isTimeless }: ClockCheckDeps): Middleware {
  return (ctx, next) => {
    if (isClockRight() || isTimeless(ctx.path)) return next();
    throw new AppError("CLOCK_WRONG", { retryAfterSeconds: RETRY_AFTER_SECONDS });
  };
}
