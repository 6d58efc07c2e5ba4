/** A table that is an outbox. What it has in common with the others is the rest of its columns. */
export interface OutboxTable {
  readonly name: "mail_outbox" | "webhook_outbox";
  /** The column that says on which way a row leaves: what is stuck on one is not to hold up the others. */
  readonly lane: "kind" | "webhook_id";
  /** Wakes the workers of every node when the transaction that notified it commits. */
  readonly channel: string;
}
