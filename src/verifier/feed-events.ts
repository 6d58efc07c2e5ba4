import { EventStreamFault, type StreamEvent } from "./event-stream.ts";
import { parseJsonObject } from "./json-object.ts";
import type { RevocationRecord } from "./revoked-set.ts";

/** What the feed says; see `docs/revocation-feed.md`. An `id` is decimal and grows in the order of commits. */
export type FeedEvent =
  | { readonly type: "reset" }
  | { readonly type: "revocation"; readonly id: string; readonly record: RevocationRecord }
  /** `sentAt`: seconds since the epoch, by the issuer's clock; absent where the issuer does not say. */
  | { readonly type: "heartbeat"; readonly id: string; readonly sentAt: number | undefined };

/**
 * Absent: an event of a name that is not known. The protocol grows by kinds of revocation, which are never overlooked,
 * so that other names can carry nothing that would have to be obeyed.
 *
 * @throws EventStreamFault
 */
export function parseFeedEvent(event: StreamEvent): FeedEvent | undefined {
  switch (event.name) {
    case "reset":
      return { type: "reset" };
    case "heartbeat":
      return { type: "heartbeat", id: parseId(event.id), sentAt: parseSentAt(event.data) };
    case "revocation":
      return { type: "revocation", id: parseId(event.id), record: parseRecord(event.data) };
    default:
      return undefined;
  }
}

function parseId(id: string | undefined): string {
  if (id === undefined || !/^\d{1,20}$/.test(id)) throw new EventStreamFault("an event has no id");
  return id;
}

function parseRecord(data: string): RevocationRecord {
  const { kind, value, issuedBefore, expiresAt } = parseJsonObject(data) ?? {};
  if (typeof kind !== "string" || typeof value !== "string" || !isTime(expiresAt)) throw malformed();
  if (issuedBefore !== undefined && issuedBefore !== null && !isTime(issuedBefore)) throw malformed();
  return { kind, value, expiresAt, ...(isTime(issuedBefore) ? { issuedBefore } : {}) };
}

function parseSentAt(data: string): number | undefined {
  const { sentAt } = parseJsonObject(data) ?? {};
  if (sentAt !== undefined && !isTime(sentAt)) throw new EventStreamFault("a heartbeat is malformed");
  return sentAt;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function malformed(): EventStreamFault {
  return new EventStreamFault("a revocation is malformed");
}
