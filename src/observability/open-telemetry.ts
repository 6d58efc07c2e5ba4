/**
 * The one file that knows OpenTelemetry. Nothing is registered globally: the span that is under way lies in a store of
 * ours, so that two servers in one process do not meet, and no library traces on its own.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { ROOT_CONTEXT, type Span, type SpanContext, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Context } from "koa";
import type { Config } from "../config/index.ts";
import { isAppError, systemClock } from "../core/index.ts";
import { factsOf, noteFacts, outcomeOf } from "./request-facts.ts";
import type { TracedCall, Tracing } from "./tracing.ts";

const QUEUE_SPANS_MAX = 2_048;
const SEND_EVERY_MS = 2_000;
const SEND_TIMEOUT_MS = 5_000;
const CLOSE_MS_MAX = 5_000;
const KINDS = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT } as const;
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "OPTIONS"]);

/** `version-traceId-parentId-flags` (W3C Trace Context, section 3.2). Later versions may have more behind it. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-|$)/;

export function openTracing({ url, headers, serviceName, samplingRatio }: NonNullable<Config["traces"]>): Tracing {
  const exporter = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: SEND_TIMEOUT_MS });
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: QUEUE_SPANS_MAX,
    scheduledDelayMillis: SEND_EVERY_MS,
    exportTimeoutMillis: SEND_TIMEOUT_MS,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": serviceName }),
    sampler: samplerOf(samplingRatio),
    spanProcessors: [processor],
  });
  const tracer = provider.getTracer("latchkey");
  const current = new AsyncLocalStorage<Span>();

  function startBelow(parent: SpanContext | undefined, name: string, kind: SpanKind, startTime?: number): Span {
    const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    return tracer.startSpan(name, { kind, ...(startTime === undefined ? {} : { startTime }) }, context);
  }

  async function runIn<Result>(span: Span, run: () => Promise<Result>): Promise<Result> {
    try {
      return await current.run(span, run);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute("error.type", typeOf(error));
      throw error;
    } finally {
      span.end();
    }
  }

  async function traceRequest(ctx: Context, next: () => Promise<unknown>): Promise<void> {
    const method = METHODS.has(ctx.method) ? ctx.method : "_OTHER";
    const span = startBelow(parseTraceparent(ctx.get("traceparent")), method, SpanKind.SERVER);
    if (span.isRecording()) noteFacts(ctx, { traceId: span.spanContext().traceId });
    await runIn(span, async () => {
      try {
        await next();
      } finally {
        describeRequest(span, ctx, method);
      }
    });
  }

  return {
    middleware: (ctx, next) => traceRequest(ctx, next),
    inSpan: (name, run, { kind = "internal" } = {}) =>
      runIn(startBelow(current.getStore()?.spanContext(), name, KINDS[kind]), run),
    storeCalled(call) {
      const parent = current.getStore();
      if (parent?.isRecording() !== true) return;
      const endedAtMs = systemClock.nowMs();
      const span = startBelow(parent.spanContext(), nameOf(call), SpanKind.CLIENT, endedAtMs - call.tookMs);
      span.setAttributes({ "db.system.name": SYSTEMS[call.store] ?? "other", "db.operation.name": call.operation });
      if (call.isFailed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(endedAtMs);
    },
    annotate: (name, value) => void current.getStore()?.setAttribute(name, value),
    headers() {
      const span = current.getStore()?.spanContext();
      if (span === undefined) return {};
      const flags = span.traceFlags.toString(16).padStart(2, "0");
      return { traceparent: `00-${span.traceId}-${span.spanId}-${flags}` };
    },
    async close() {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, CLOSE_MS_MAX);
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}

const SYSTEMS: Readonly<Record<string, string>> = { postgres: "postgresql", redis: "redis" };

function nameOf({ store, operation }: TracedCall): string {
  return `${store} ${operation}`;
}

/**
 * Who sends a `traceparent` may say that a request is not to be recorded. That it is, only our own share decides: anybody
 * could have all of their requests recorded.
 */
function samplerOf(samplingRatio: number): Sampler {
  const share = new TraceIdRatioBasedSampler(samplingRatio);
  return new ParentBasedSampler({
    root: share,
    remoteParentSampled: share,
    remoteParentNotSampled: new AlwaysOffSampler(),
  });
}

function parseTraceparent(header: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}

/** Names the span by the pattern of its path; the path itself, its query and who sent it are in no attribute. */
function describeRequest(span: Span, ctx: Context, method: string): void {
  const { route, reason } = factsOf(ctx);
  span.updateName(route === undefined ? method : `${method} ${route}`);
  span.setAttributes({
    "http.request.method": method,
    "http.response.status_code": ctx.status,
    "latchkey.outcome": outcomeOf(ctx.status, reason),
    "latchkey.request_id": String(ctx.state["requestId"]),
    ...(route === undefined ? {} : { "http.route": route }),
    ...(reason === undefined ? {} : { "error.type": reason }),
  });
  if (ctx.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
}

/** The kind of an error. Its message may hold what a person typed. */
function typeOf(error: unknown): string {
  if (isAppError(error)) return error.code;
  return error instanceof Error ? error.name : "unknown";
}
