import { Router, type RouterContext } from "@koa/router";
import type { Context, Middleware } from "koa";
import { noteFacts } from "../observability/index.ts";

/** Method and path of a route, as in `POST /account/sign-out`. */
export type RouteName = `${"GET" | "POST"} /${string}`;

/** What a route does; `params` are the named parts of its path. */
export type RouteStep = (ctx: Context, params: Readonly<Record<string, string>>) => Promise<void>;

/** Builds one middleware from a table of routes, tried in order. A known path with another method answers 405. */
export function createRoutes(table: Readonly<Record<RouteName, RouteStep>>): Middleware {
  const router = new Router();
  for (const [name, step] of Object.entries(table)) {
    const [method = "", path = ""] = name.split(" ");
    const facts = { route: path };
    router.register(path, [method], (ctx: RouterContext) => {
      noteFacts(ctx, facts);
      return step(ctx, ctx.params);
    });
  }
  const route = router.routes() as unknown as Middleware;
  const refuseOtherMethods = router.allowedMethods() as unknown as Middleware;
  const firstSegments = new Set(Object.keys(table).map((name) => firstSegment(name.slice(name.indexOf("/")))));
  return (ctx, next) => {
    // Most requests are for the protocol, and matching every pattern costs more than this.
    if (!firstSegments.has(firstSegment(ctx.path))) return next();
    return route(ctx, async () => refuseOtherMethods(ctx, next));
  };
}

function firstSegment(path: string): string {
  const end = path.indexOf("/", 1);
  return end === -1 ? path : path.slice(0, end);
}

/** Sends the browser on with 303, so that what was posted is not posted again (RFC 9700, section 4.12). */
export function seeOther(ctx: Context, url: string): void {
  ctx.status = 303;
  ctx.redirect(url);
  ctx.set("Cache-Control", "no-store");
}
