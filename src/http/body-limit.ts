import type { Middleware } from "koa";
import { AppError } from "../core/index.ts";
import { FORM_BYTES_MAX } from "./form.ts";

/**
 * Answers 413 to a body that says that it is larger than anything we accept, before a byte of it is read. One that says
 * nothing (chunked) is stopped by whoever reads it, at the same size or below.
 */
export function createBodyLimit(): Middleware {
  return (ctx, next) => {
    if (Number(ctx.req.headers["content-length"] ?? 0) <= FORM_BYTES_MAX) return next();
    // What is still under way would be taken for the next request.
    ctx.set("Connection", "close");
    throw new AppError("BODY_TOO_LARGE");
  };
}
