import type { Settled } from "../outbox/index.ts";

/** What came of a try, or of an event for which there was to be none any more. */
export interface WebhookSettled {
  readonly webhook: string;
  readonly tries: number;
  /** `retried`: it is tried again. `refused`: for good. `expired`: it was tried for as long as we do. */
  readonly result: "sent" | "retried" | "refused" | "expired";
  /** A word for the log: `status_503`, `failed_timeout`. */
  readonly reason?: string;
}

/** Told of webhooks without what they tell. Does not throw. */
export interface WebhookObserver {
  settled(webhook: WebhookSettled): void;
}

/** What the outbox tells, in the words of webhooks. */
export function toWebhookSettled({ lane, ...settled }: Settled): WebhookSettled {
  return { webhook: lane, ...settled };
}
