import type { Context, Middleware } from "koa";
import { AppError } from "../core/index.ts";
import { noteFacts } from "../observability/index.ts";

/**
 * Answers 421 unless the request is for the issuer's host, so that no link, form action or accepted audience can be
 * made to follow a forged `Host` (RFC 9110, section 7.4). Health probes come by address and are let through.
 *
 * `X-Forwarded-Host` is deleted whoever sent it: nothing behind this may believe it.
 */
export function createHostCheck(issuer: string): Middleware {
  const { host, protocol } = new URL(issuer);
  const defaultPort = protocol === "https:" ? "443" : "80";
  const accepted = new Set([host, `${host}:${defaultPort}`]);
  return (ctx, next) => {
    const { headers } = ctx.req;
    if (headers["x-forwarded-host"] !== undefined) delete headers["x-forwarded-host"];
    const isProbe = ctx.path.startsWith("/health/");
    if (isProbe || (accepted.has(hostHeader(ctx)) && isForAcceptedTarget(ctx, accepted))) return next();
    return refuse(ctx);
  };
}

/** Plain text: a page's stylesheet would be asked of the wrong host as well. */
function refuse(ctx: Context): void {
  const { code: reason, status, sentence } = new AppError("HOST_UNKNOWN");
  noteFacts(ctx, { reason });
  ctx.status = status;
  ctx.type = "text";
  ctx.body = `${sentence}\n`;
}

function hostHeader(ctx: Context): string {
  // Two of them are an attempt to have one checked and the other believed (RFC 9112, section 3.2).
  const [host = "", ...others] = ctx.req.headersDistinct["host"] ?? [];
  return others.length === 0 ? host.toLowerCase() : "";
}

/** A request line with a whole URL overrides the Host header (RFC 9112, section 3.2.2), so both must be ours. */
function isForAcceptedTarget(ctx: Context, accepted: ReadonlySet<string>): boolean {
  const target = ctx.originalUrl;
  if (target.startsWith("/")) return true;
  return URL.canParse(target) && accepted.has(new URL(target).host);
}
