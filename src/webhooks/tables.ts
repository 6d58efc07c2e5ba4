import type { ColumnType, Kysely } from "kysely";
import type { OutboxTable } from "../outbox/index.ts";
import type { Db } from "../storage/index.ts";

/** Wakes the workers of every node when the transaction that notified it commits. */
export const WEBHOOK_CHANNEL = "latchkey_webhook_outbox";

/** Webhooks leave by their endpoint: one that hangs holds up no other. */
export const WEBHOOK_TABLE: OutboxTable = { name: "webhook_outbox", lane: "webhook_id", channel: WEBHOOK_CHANNEL };

/** `operator`: by a command. `gone`: it answered 410. `failing`: it took nothing for as long as we try. */
export type DisabledReason = "operator" | "gone" | "failing";

/** An alias, not an interface: Kysely asks for a type with an index signature. */
export type WebhookTables = {
  readonly webhooks: {
    readonly id: string;
    readonly url: string;
    readonly kinds: ColumnType<readonly string[] | null, string | null, never>;
    sealed_secrets: Uint8Array;
    /** A `bigint`: text with pg, a number with PGlite. */
    position: string | number | bigint;
    readonly created_at: Date;
    last_success_at: Date | null;
    disabled_at: Date | null;
    disabled_reason: DisabledReason | null;
  };
  readonly webhook_outbox: {
    readonly id: string;
    readonly webhook_id: string;
    readonly content: Uint8Array;
    readonly created_at: Date;
  };
};

export function withWebhookTables(db: Db): Kysely<WebhookTables> {
  return db.withTables<WebhookTables>();
}
