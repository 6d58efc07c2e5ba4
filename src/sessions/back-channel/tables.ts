import type { Generated, Kysely } from "kysely";
import type { Db } from "../../storage/index.ts";

/** An alias, not an interface: Kysely asks for a type with an index signature. */
export type BackChannelTables = {
  readonly back_channel_logouts: {
    /** A `bigint`: text with pg, a number with PGlite. */
    readonly id: Generated<string | number>;
    readonly client_id: string;
    readonly account_id: string;
    readonly session_id: string;
    readonly host: string;
    tries: Generated<number>;
    due_at: Date;
    readonly expires_at: Date;
  };
};

export function withBackChannelTables(db: Db): Kysely<BackChannelTables> {
  return db.withTables<BackChannelTables>();
}
