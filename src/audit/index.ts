/**
 * The record of what happened to accounts, sessions, consents, clients and keys, for operators and investigators.
 *
 * `event-catalogue.ts` names every event, `event-facts.ts` says what is the same for all of a type, `event-details.ts` what
 * each is about and what its data may hold. Whoever changes something appends the event inside the same transaction, so
 * that no change goes unrecorded and nothing is recorded that did not happen. `chain/` gives what is committed its place
 * in a chain of hashes and signs how far that has come.
 * docs/audit-integrity.md
 *
 * Invariants: rows are added and never changed or removed (triggers in the database refuse it), but for what identifies
 * a person who was deleted; no secret, no token and nothing that a person typed is ever in them.
 */
export { type Audit, createAudit } from "./audit.ts";
export type { AuditBacklog } from "./chain/backlog.ts";
export { type AuditChain, createAuditChain } from "./chain/chain.ts";
export { type ExportedCheckpoint, exportedSchema } from "./chain/checkpoints.ts";
export type { Verification } from "./chain/verify.ts";
export type { AuditEvent, AuditFilter, SealedAuditEvent, StoredAuditEvent } from "./event.ts";
export { AUDIT_EVENTS, type AuditEventType, isAuditEventType } from "./event-catalogue.ts";
export { EVENT_CATEGORIES, EVENT_DETAILS, type EventCategory, undeclaredIn } from "./event-details.ts";
export { EVENT_FACTS } from "./event-facts.ts";
export { type EventJson, toEventJson } from "./event-json.ts";
export { SEALED_CHANNEL } from "./tables.ts";
