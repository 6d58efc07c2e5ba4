import type { Middleware } from "koa";
import { AppError } from "../core/index.ts";
import { noteFacts } from "../observability/index.ts";
import { readBody } from "./form.ts";
import { seeOther } from "./routes.ts";

/** What fits into the request line of the GET that follows, with room for cookies beside it. */
const QUERY_BYTES_MAX = 8 * 1024;

/**
 * Turns a form that another site posts into the same request by GET. Apps may send authorization and sign-out requests
 * either way (OpenID Connect Core 1.0, section 3.1.2.1), and a browser sends our SameSite=Lax cookies only with the
 * latter.
 */
export function createPostToGet(paths: readonly string[]): Middleware {
  return async (ctx, next) => {
    if (ctx.method !== "POST" || !paths.includes(ctx.path)) return next();
    noteFacts(ctx, { route: ctx.path });
    const query = new URLSearchParams(await readBody(ctx)).toString();
    if (query.length > QUERY_BYTES_MAX) throw new AppError("BODY_TOO_LARGE");
    return seeOther(ctx, `${ctx.path}?${query}`);
  };
}
