/**
 * What operators see of a running server: the log, its health, its memory. Metrics and traces will live here too.
 *
 * Those who answer a request note what became of it (`request-facts.ts`); its log line is made of that.
 *
 * Invariant: no secret, token, code or personal data is ever written; fields with such names are replaced.
 */
export { createHealth, type Health } from "./health.ts";
export { startIdleCollection } from "./idle-collection.ts";
export { createLogger, type Logger } from "./logger.ts";
export { factsOf, noteFacts, outcomeOf, type RequestOutcome } from "./request-facts.ts";
