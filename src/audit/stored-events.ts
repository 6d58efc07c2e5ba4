import type { Selectable } from "kysely";
import { AppError } from "../core/index.ts";
import type { StoredAuditEvent } from "./event.ts";
import { actorOf, outcomeOf } from "./event-facts.ts";
import type { AuditEventTable } from "./tables.ts";

const LIST_LIMIT_MAX = 1_000;

export function refuseLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_LIMIT_MAX) {
    throw new AppError("INPUT_INVALID", { detail: `limit is not between 1 and ${LIST_LIMIT_MAX}` });
  }
}

export function toStoredEvent(row: Selectable<AuditEventTable>): StoredAuditEvent {
  return {
    id: String(row.id),
    occurredAt: row.occurred_at,
    type: row.type,
    actor: actorOf({ type: row.type, actor: row.actor ?? undefined, data: row.data }),
    outcome: outcomeOf(row.type),
    accountId: row.account_id ?? undefined,
    clientId: row.client_id ?? undefined,
    sessionId: row.session_id ?? undefined,
    requestId: row.request_id ?? undefined,
    address: row.address ?? undefined,
    device: row.device ?? undefined,
    data: row.data,
  };
}
