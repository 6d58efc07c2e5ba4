import type { Context, Middleware, Next } from "koa";
import { noteFacts } from "./request-facts.ts";

const CHECK_TIMEOUT_MS = 700;

/** What has to work for this node to be sent requests, by name. A check throws when it does not. */
export type ReadinessChecks = Readonly<Record<string, () => Promise<void>>>;

export interface Health {
  /** `GET /health/live` (the process answers) and `GET /health/ready` (so do its stores). */
  readonly middleware: Middleware;
  /** Not ready from now on, so that a balancer stops sending requests before the process stops taking them. */
  startDraining(): void;
}

export function createHealth(checks: ReadinessChecks): Health {
  let isDraining = false;

  async function failingChecks(): Promise<string[]> {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => ((await passes(check)) ? [] : [name])),
    );
    return results.flat();
  }

  const failingNow = async (): Promise<readonly string[]> => (isDraining ? ["draining"] : failingChecks());

  async function answerProbe(ctx: Context, next: Next): Promise<void> {
    if (ctx.path === "/health/live") answer(ctx, "/health/live", []);
    else if (ctx.path === "/health/ready") answer(ctx, "/health/ready", await failingNow());
    else await next();
  }

  return {
    startDraining() {
      isDraining = true;
    },
    middleware(ctx, next) {
      const isProbe = ctx.path.startsWith("/health/") && (ctx.method === "GET" || ctx.method === "HEAD");
      return isProbe ? answerProbe(ctx, next) : next();
    },
  };
}

function answer(ctx: Context, route: string, failing: readonly string[]): void {
  noteFacts(ctx, { route });
  ctx.status = failing.length === 0 ? 200 : 503;
  ctx.body = failing.length === 0 ? { status: "ok" } : { status: "unavailable", failing };
  ctx.set("Cache-Control", "no-store");
}

async function passes(check: () => Promise<void>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, CHECK_TIMEOUT_MS, false);
  const outcome = check().then(
    () => true,
    () => false,
  );
  return Promise.race([outcome, late]).finally(() => clearTimeout(timer));
}
