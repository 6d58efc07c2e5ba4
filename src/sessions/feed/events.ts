import type { Revocation } from "../revocation-page.ts";

/**
 * The feed's events, as bytes of a `text/event-stream`. An event is serialized once, however many readers it goes to.
 *
 * @see HTML Living Standard, section 9.2 "Server-sent events"; docs/revocation-feed.md
 */
export const RESET_EVENT = Buffer.from("event: reset\ndata: {}\n\n");

/** JSON holds no line break, so that one `data` line is all it takes. */
export function revocationEvent({ id, kind, value, issuedBefore, expiresAt }: Revocation): Buffer {
  const data = JSON.stringify({ kind, value, issuedBefore, expiresAt });
  return Buffer.from(`event: revocation\nid: ${id}\ndata: ${data}\n\n`);
}

/** `nowMs` is when this was seen: a reader can tell by it that heartbeats are held back on their way. */
export function heartbeatEvent(lastId: number, nowMs: number): Buffer {
  return Buffer.from(`event: heartbeat\nid: ${lastId}\ndata: ${JSON.stringify({ sentAt: nowMs / 1000 })}\n\n`);
}
