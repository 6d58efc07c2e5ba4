import type { Middleware } from "koa";
import type { Config } from "../config/index.ts";

/** A call to a store that is over, as far as a span tells of it. */
export interface TracedCall {
  readonly store: string;
  readonly operation: string;
  readonly tookMs: number;
  readonly isFailed: boolean;
}

export interface SpanOptions {
  /** `client`: a request of ours to somebody else. */
  readonly kind?: "internal" | "client";
}

/** Spans, in words of ours. Names and attributes are written in the code; nothing of a request is ever in them. */
export interface Tracing {
  /** A span around each request, part of the trace that it came with. Absent when nothing is traced. */
  readonly middleware: Middleware | undefined;
  /** Runs within a span; absent when nothing is traced. */
  readonly inSpan:
    | (<Result>(name: string, run: () => Promise<Result>, options?: SpanOptions) => Promise<Result>)
    | undefined;
  /** A span for a call that is over, where there is a span that it belongs to. */
  storeCalled(call: TracedCall): void;
  /** Adds to the span that is under way. `value` is of a closed list. */
  annotate(name: string, value: string): void;
  /** What hands the trace on to whoever is asked next (W3C Trace Context); nothing where there is none. */
  headers(): Readonly<Record<string, string>>;
  /** Sends what is still here, for five seconds at the most. */
  close(): Promise<void>;
}

export const NO_TRACING: Tracing = {
  middleware: undefined,
  inSpan: undefined,
  storeCalled: () => undefined,
  annotate: () => undefined,
  headers: () => ({}),
  close: async () => undefined,
};

/** Tracing by OpenTelemetry, which takes some 15 MB and is loaded only when there is a collector to send to. */
export async function createTracing(settings: Config["traces"]): Promise<Tracing> {
  if (settings === undefined) return NO_TRACING;
  const { openTracing } = await import("./open-telemetry.ts");
  return openTracing(settings);
}

/**
 * The same object, with a span around each of the methods that are named. Whatever is not traced is given back as it is,
 * and costs nothing.
 */
export function traced<Target extends object>(
  { inSpan }: Pick<Tracing, "inSpan">,
  target: Target,
  { names, ...options }: SpanOptions & { readonly names: Partial<Record<keyof Target, string>> },
): Target {
  if (inSpan === undefined) return target;
  const wrapped = Object.entries<string | undefined>(names).map(([method, name = method]) => {
    const run: unknown = Reflect.get(target, method);
    if (typeof run !== "function") throw new Error(`${method} is no method`);
    return [method, (...given: readonly unknown[]) => inSpan(name, async () => run.apply(target, given), options)];
  });
  return { ...target, ...Object.fromEntries(wrapped) };
}
