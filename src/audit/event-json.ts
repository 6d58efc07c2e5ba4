import type { SealedAuditEvent, StoredAuditEvent } from "./event.ts";
import { EVENT_DETAILS } from "./event-details.ts";

/** Names the shape of {@link EventJson}. Members may come; none goes, or means something else, under the same name. */
export const EVENT_SCHEMA = "latchkey.audit.v1";

/** An event as programs get it: from the command line, as a line of the log, and from webhooks. */
export interface EventJson {
  readonly schema: typeof EVENT_SCHEMA;
  readonly id: string;
  /** In the chain; absent where the event was not read from there. */
  readonly position?: string;
  readonly type: string;
  readonly category?: string;
  readonly occurredAt: string;
  readonly actor: string;
  readonly outcome: string;
  readonly accountId?: string;
  readonly clientId?: string;
  readonly sessionId?: string;
  readonly requestId?: string;
  readonly address?: string;
  readonly device?: string;
  readonly data: StoredAuditEvent["data"];
}

export function toEventJson(event: StoredAuditEvent | SealedAuditEvent): EventJson {
  const { id, type, occurredAt, actor, outcome, accountId, clientId, sessionId, requestId, address, device } = event;
  return {
    schema: EVENT_SCHEMA,
    id,
    ...("position" in event ? { position: event.position } : {}),
    type,
    // A newer version may have written it.
    ...(Object.hasOwn(EVENT_DETAILS, type) ? { category: EVENT_DETAILS[type].category } : {}),
    occurredAt: occurredAt.toISOString(),
    actor,
    outcome,
    ...(accountId === undefined ? {} : { accountId }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(address === undefined ? {} : { address }),
    ...(device === undefined ? {} : { device }),
    data: event.data,
  };
}
