import { sql } from "kysely";
import { AppError, type Clock, randomOctets } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { AuditEvent, AuditFilter, StoredAuditEvent } from "./event.ts";
import { actorOf } from "./event-facts.ts";
import { refuseLimit, toStoredEvent } from "./stored-events.ts";
import { withAuditTables } from "./tables.ts";

const DATA_BYTES_MAX = 4 * 1024;
const SALT_BYTES = 16;
/** Longer than a request takes that began before its account was deleted. */
const LATE_MS = 10 * 60_000;
/** So many rows are changed well within the deadline of a statement. */
const ERASE_BATCH = 1_000;

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
  /**
   * Erases what identifies the person from all events of an account, after `account_deleted` was appended: without
   * that, the database refuses it.
   */
  erasePerson(tx: Db, accountId: string): Promise<void>;
  /** The same for what came in while an account was being deleted. */
  sweep(): Promise<void>;
}

export interface AuditDependencies {
  readonly db: Db;
  readonly clock: Clock;
  /** The device that sent the request which is under way, in words; nobody knows when absent. */
  readonly currentDevice?: (() => string | undefined) | undefined;
  /** Told of every event that was added, also where its transaction comes to nothing later; does not throw. */
  readonly onAppended?: ((event: AuditEvent) => void) | undefined;
}

export function createAudit({ db, clock, currentDevice, onAppended }: AuditDependencies): Audit {
  return {
    async append(tx, event) {
      const data = JSON.stringify(event.data ?? {});
      if (Buffer.byteLength(data) > DATA_BYTES_MAX) throw new RangeError(`the data of ${event.type} is too large`);
      const { address } = event;
      const device = event.device ?? (address === undefined ? undefined : currentDevice?.());
      const isPersonal = address !== undefined || device !== undefined;
      await withAuditTables(tx)
        .insertInto("audit_events")
        .values({
          occurred_at: new Date(clock.nowMs()),
          type: event.type,
          actor: actorOf(event),
          account_id: event.accountId ?? null,
          client_id: event.clientId ?? null,
          session_id: event.sessionId ?? null,
          request_id: event.requestId ?? null,
          address: address ?? null,
          device: device ?? null,
          personal_salt: isPersonal ? randomOctets(SALT_BYTES) : null,
          data,
        })
        .execute();
      onAppended?.(event);
    },

    async list({ limit, ...filter }) {
      refuseLimit(limit);
      const rows = await selectEvents(db, filter).orderBy("id", "desc").limit(limit).execute();
      return rows.map(toStoredEvent);
    },

    erasePerson,

    async sweep() {
      const { rows } = await sql<{ accountId: string }>`
        select distinct account_id as "accountId" from audit_events
          where type = 'account_deleted' and occurred_at > ${new Date(clock.nowMs() - LATE_MS)}`.execute(db);
      for (const { accountId } of rows) await erasePerson(db, accountId);
    },
  };
}

async function erasePerson(tx: Db, accountId: string): Promise<void> {
  for (let erased = ERASE_BATCH; erased === ERASE_BATCH;) {
    const { numAffectedRows = 0n } = await sql`
      update audit_events set address = null, device = null, personal_salt = null
        where (id, occurred_at) in (
          select id, occurred_at from audit_events
            where account_id = ${accountId} and personal_salt is not null limit ${ERASE_BATCH}
        )`.execute(tx);
    erased = Number(numAffectedRows);
  }
}

const EVENT_ID = /^\d{1,18}$/;

function selectEvents(db: Db, { accountId, clientId, type, types, before, since, until }: Omit<AuditFilter, "limit">) {
  if (before !== undefined && !EVENT_ID.test(before)) {
    throw new AppError("INPUT_INVALID", { detail: "before is not the id of an event" });
  }
  return withAuditTables(db)
    .selectFrom("audit_events")
    .selectAll()
    .$if(accountId !== undefined, (query) => query.where("account_id", "=", accountId ?? null))
    .$if(clientId !== undefined, (query) => query.where("client_id", "=", clientId ?? null))
    .$if(until !== undefined, (query) => query.where("occurred_at", "<", until ?? new Date(0)))
    .$if(type !== undefined, (query) => query.where("type", "in", type === undefined ? [] : [type]))
    .$if(types !== undefined, (query) => query.where("type", "in", types ?? []))
    .$if(before !== undefined, (query) => query.where("id", "<", before ?? ""))
    .$if(since !== undefined, (query) => query.where("occurred_at", ">=", since ?? new Date(0)));
}
