/**
 * The record of what happened to accounts, sessions, consents, clients and keys, for operators and investigators.
 *
 * `event-catalogue.ts` names every event, and `event-details.ts` says what each is about and what its data may hold. Whoever changes something appends the event inside the same transaction, so
 * that no change goes unrecorded and nothing is recorded that did not happen.
 *
 * Invariants: rows are added and never changed or removed (a trigger in the database refuses it); no secret, no token
 * and nothing that a person typed is ever in them.
 */
export { type Audit, createAudit } from "./audit.ts";
export type { AuditEvent, StoredAuditEvent } from "./event.ts";
export { AUDIT_EVENTS, type AuditEventType } from "./event-catalogue.ts";
export { EVENT_CATEGORIES, EVENT_DETAILS, type EventCategory, undeclaredIn } from "./event-details.ts";
