import type { ColumnType, Generated, Selectable } from "kysely";
import { AppError, type Clock } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { AuditEventType } from "./event-catalogue.ts";
import type { AuditData, AuditEvent, AuditFilter, StoredAuditEvent } from "./event.ts";

const DATA_BYTES_MAX = 4 * 1024;
const LIST_LIMIT_MAX = 1_000;

export interface Audit {
  /**
   * Adds an event. `tx` is the transaction of the change that the event tells of, so that neither is ever there without
   * the other; where nothing else changes it is the database itself.
   *
   * @throws RangeError when `data` is larger than 4 KiB: it would hold what does not belong here.
   */
  append(tx: Db, event: AuditEvent): Promise<void>;
  /** The newest events that match come first. @throws AppError INPUT_INVALID when `limit` or `before` is none. */
  list(filter: AuditFilter): Promise<readonly StoredAuditEvent[]>;
}

export interface AuditDependencies {
  readonly db: Db;
  readonly clock: Clock;
  /** Told of every event that was added, also where its transaction comes to nothing later; does not throw. */
  readonly onAppended?: ((event: AuditEvent) => void) | undefined;
}

interface AuditEventTable {
  /** A `bigint`: text with pg, a number with PGlite. */
  id: Generated<string | number | bigint>;
  occurred_at: Date;
  type: AuditEventType;
  account_id: string | null;
  client_id: string | null;
  session_id: string | null;
  request_id: string | null;
  address: string | null;
  data: ColumnType<AuditData, string, never>;
}

const withTables = (db: Db) => db.$extendTables<{ audit_events: AuditEventTable }>();

export function createAudit({ db, clock, onAppended }: AuditDependencies): Audit {
  return {
    async append(tx, event) {
      const data = JSON.stringify(event.data ?? {});
      if (Buffer.byteLength(data) > DATA_BYTES_MAX) throw new RangeError(`the data of ${event.type} is too large`);
      await withTables(tx)
        .insertInto("audit_events")
        .values({
          occurred_at: new Date(clock.nowMs()),
          type: event.type,
          account_id: event.accountId ?? null,
          client_id: event.clientId ?? null,
          session_id: event.sessionId ?? null,
          request_id: event.requestId ?? null,
          address: event.address ?? null,
          data,
        })
        .execute();
      onAppended?.(event);
    },

    async list({ limit, ...filter }) {
      if (!Number.isInteger(limit) || limit < 1 || limit > LIST_LIMIT_MAX) {
        throw new AppError("INPUT_INVALID", { detail: `limit is not between 1 and ${LIST_LIMIT_MAX}` });
      }
      const rows = await selectEvents(db, filter).orderBy("id", "desc").limit(limit).execute();
      return rows.map(toStoredEvent);
    },
  };
}

const EVENT_ID = /^\d{1,18}$/;

function selectEvents(db: Db, { accountId, type, types, before, since }: Omit<AuditFilter, "limit">) {
  if (before !== undefined && !EVENT_ID.test(before)) {
    throw new AppError("INPUT_INVALID", { detail: "before is not the id of an event" });
  }
  return withTables(db)
    .selectFrom("audit_events")
    .selectAll()
    .$if(accountId !== undefined, (query) => query.where("account_id", "=", accountId ?? null))
    .$if(type !== undefined, (query) => query.where("type", "in", type === undefined ? [] : [type]))
    .$if(types !== undefined, (query) => query.where("type", "in", types ?? []))
    .$if(before !== undefined, (query) => query.where("id", "<", before ?? ""))
    .$if(since !== undefined, (query) => query.where("occurred_at", ">=", since ?? new Date(0)));
}

function toStoredEvent(row: Selectable<AuditEventTable>): StoredAuditEvent {
  return {
    id: String(row.id),
    occurredAt: row.occurred_at,
    type: row.type,
    accountId: row.account_id ?? undefined,
    clientId: row.client_id ?? undefined,
    sessionId: row.session_id ?? undefined,
    requestId: row.request_id ?? undefined,
    address: row.address ?? undefined,
    data: row.data,
  };
}
