import type { ColumnType, Generated } from "kysely";
import type { Db } from "../storage/index.ts";
import type { AuditData } from "./event.ts";
import type { AuditEventType } from "./event-catalogue.ts";
import type { Actor } from "./event-facts.ts";

export interface AuditEventTable {
  /** A `bigint`: text with pg, a number with PGlite. */
  id: Generated<string | number | bigint>;
  occurred_at: Date;
  type: AuditEventType;
  /** Absent in rows of an older version. */
  actor: Actor | null;
  account_id: string | null;
  client_id: string | null;
  session_id: string | null;
  request_id: string | null;
  address: string | null;
  device: string | null;
  personal_salt: Uint8Array | null;
  data: ColumnType<AuditData, string, never>;
}

export const withAuditTables = (db: Db) => db.$extendTables<{ audit_events: AuditEventTable }>();

/** Names to be listened to are the database's: whoever reads the chain is woken when something was sealed. */
export const SEALED_CHANNEL = "latchkey_audit_sealed";
