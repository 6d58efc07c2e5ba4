import type { Context } from "koa";
import type { RequestSource } from "../accounts/index.ts";
import { requestIdOf } from "../http/index.ts";

/** Where an attempt comes from, for the throttle and the audit log. */
export function sourceOf(ctx: Context, clientAddress: (ctx: Context) => string): RequestSource {
  return { address: clientAddress(ctx), requestId: requestIdOf(ctx) };
}
