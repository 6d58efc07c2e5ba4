import type { Context } from "koa";

/** What became of a request, in the words of those who answered it: for its log line, its metrics and its span. */
export interface RequestFacts {
  /** The pattern of the path, such as `/interaction/:uid`; absent where nothing answers. Never what was sent. */
  readonly route?: string;
  /** Why it was refused or failed: a code of our catalogue, or an OAuth error. The last one that was noted. */
  readonly reason?: string;
  /** What the person was shown to name this failure by. */
  readonly reference?: string;
  /** Of the trace that the request is recorded in. */
  readonly traceId?: string;
}

/** Adds to what is known of a request. */
export function noteFacts(ctx: Context, facts: RequestFacts): void {
  Object.assign(ctx.state, facts);
}

export function factsOf(ctx: Context): RequestFacts {
  return ctx.state;
}

/** `refused`: the sender's to mend, also where a browser is redirected with an error. `failed`: ours. */
export type RequestOutcome = "ok" | "refused" | "failed";

export function outcomeOf(status: number, reason: string | undefined): RequestOutcome {
  if (status >= 500) return status === 501 ? "refused" : "failed";
  return status >= 400 || reason !== undefined ? "refused" : "ok";
}
