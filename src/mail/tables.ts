import type { Generated, Kysely } from "kysely";
import type { Db } from "../storage/index.ts";

/** An alias, not an interface: Kysely asks for a type with an index signature. */
export type MailTables = {
  readonly mail_outbox: {
    readonly id: string;
    readonly kind: string;
    readonly content: Uint8Array;
    tries: Generated<number>;
    readonly created_at: Date;
    due_at: Date;
    readonly expires_at: Date;
  };
};

export function withMailTables(db: Db): Kysely<MailTables> {
  return db.withTables<MailTables>();
}
