/**
 * What must leave us and may have to wait for it: rows that are put down with the change that they tell of, and tried until
 * somebody took them. Mails and webhooks both are, each in a table of its own.
 *
 * `outbox.ts` puts rows down and gives up what is too old; `worker.ts` takes what is due and hands it to an attempt, which
 * says what came of it; `decide-outcome.ts` says what follows; `settle.ts` writes it down.
 *
 * Invariants: a row is there exactly when the change is; while its lease lasts no two nodes try it; what was taken is written
 * down for as long as that can matter, so that it goes out a second time only after a crash in between, under the same id.
 */
export type { ClaimedRow } from "./claim-due.ts";
export type { TryResult } from "./decide-outcome.ts";
export { type Backlog, createOutbox, type Outbox } from "./outbox.ts";
export type { OutboxTable } from "./outbox-table.ts";
export type { EndedRow, Settled } from "./settle.ts";
export { createOutboxWorker, type OutboxWorker } from "./worker.ts";
