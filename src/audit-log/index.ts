/**
 * Writes the audit log as lines of JSON for log pipelines: to standard output, or to a file.
 *
 * `audit-log-writer.ts` reads the chain and keeps how far it is; `event-sink.ts` is where the lines go.
 *
 * Invariants: every event is written by one process of the deployment, at least once and in the order of the chain: how far it
 * is moves only once the lines are written, and to the disk where it is a file. What cannot be written is said once, and
 * tried again, by any process that can.
 */
export { createAuditLogWriter } from "./audit-log-writer.ts";
export { type EventSink, openFileSink, openOutputSink } from "./event-sink.ts";
