/**
 * What operators see of a running server: the log, its health, its memory, its traces. What is counted is in `metrics`.
 *
 * Those who answer a request note what became of it (`request-facts.ts`); its log line, its metrics and its span are made
 * of that. `tracing.ts` is the port for spans, and does nothing unless a collector is configured; `open-telemetry.ts` is
 * loaded only then.
 *
 * Invariant: no secret, token, code or personal data is ever written; fields with such names are replaced. Spans have
 * names and attributes of ours only.
 */
export { createHealth, type Health } from "./health.ts";
export { startIdleCollection } from "./idle-collection.ts";
export { createLogger, type Logger } from "./logger.ts";
export { createTracing, NO_TRACING, traced, type Tracing } from "./tracing.ts";
export { factsOf, noteFacts, outcomeOf, type RequestOutcome } from "./request-facts.ts";
