import type { WebhookObserver } from "./observer.ts";

/** Where operators read. */
interface Log {
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
}

/** What operators read of webhooks: which, and what they met. Neither where to nor what they tell. */
export function createWebhookLog(logger: Log): WebhookObserver {
  const heldUp = new Set<string>();
  return {
    settled({ webhook, tries, result, reason }) {
      const fields = { webhook, tries, reason };
      if (result === "sent" && heldUp.delete(webhook))
        logger.info({ webhook }, "a webhook takes what it is told again");
      if (result === "refused") logger.warn(fields, "a webhook is gone, and is told nothing any more");
      if (result === "expired") logger.warn(fields, "gave up on an event that a webhook did not take in days");
      // Once, not for every event that waits: the endpoint may be away for long.
      if (result !== "retried" || heldUp.has(webhook)) return;
      heldUp.add(webhook);
      logger.warn(fields, "a webhook did not take an event, which is tried again");
    },
  };
}
