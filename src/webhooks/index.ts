/**
 * Tells endpoints of operators what happens, by signed requests in the format of Standard Webhooks.
 *
 * `webhooks.ts` keeps the endpoints; `follower.ts` puts events of the audit log into the outbox, in the order of the chain;
 * `webhook-worker.ts` sends what is due and writes down what came of it; `giving-up.ts` disables an endpoint that is gone.
 *
 * Invariants: an endpoint's position moves in the transaction that puts down what it passes, so that every event that it
 * wants is sent at least once, under an id that stays; what was not delivered is still behind its position when it is
 * enabled again. A secret is shown once and lies sealed. No event lies in the outbox, only where it stands in the log.
 * Addresses are checked by `outbound/`, when an endpoint is added and for every request.
 */
export { createWebhookFollower } from "./follower.ts";
export type { WebhookObserver, WebhookSettled } from "./observer.ts";
export { WEBHOOK_CHANNEL } from "./tables.ts";
export { createWebhookLog } from "./webhook-log.ts";
export { createWebhookWorker } from "./webhook-worker.ts";
export { createWebhooks, type Webhooks, type WebhookSummary } from "./webhooks.ts";
