import type { OutboxTable } from "../outbox/index.ts";

/** Wakes the workers of every node when the transaction that notified it commits. */
export const MAIL_CHANNEL = "latchkey_mail_outbox";

/** Mails leave by their kind: a node takes those that it knows, and leaves the ones that a newer version brought. */
export const MAIL_TABLE: OutboxTable = { name: "mail_outbox", lane: "kind", channel: MAIL_CHANNEL };
