import { type EventJson, type SealedAuditEvent, toEventJson } from "../audit/index.ts";
import { randomToken } from "../core/index.ts";
import type { Outbound, OutboundResult } from "../outbound/index.ts";
import { signatureHeaders, type WebhookSecret } from "./secrets.ts";

/** What came of a request. */
export type PostResult = OutboundResult;

/** What is sent, but for its signature. */
export interface WebhookMessage {
  /** The same for every try, and for every endpoint. */
  readonly id: string;
  readonly body: string;
}

const POST_TIMEOUT_MS = 15_000;
const TEST_ID_BYTES = 16;

/** The message that tells of an event (Standard Webhooks: `type`, `timestamp`, `data`). */
export function eventMessage(event: SealedAuditEvent): WebhookMessage {
  const json: EventJson = toEventJson(event);
  return { id: `event_${event.id}`, body: bodyOf(event.type, json.occurredAt, json) };
}

/** One that tells of nothing, to see whether it arrives. */
export function testMessage(nowMs: number): WebhookMessage {
  const timestamp = new Date(nowMs).toISOString();
  return { id: `test_${randomToken(TEST_ID_BYTES)}`, body: bodyOf("webhook_test", timestamp, {}) };
}

function bodyOf(type: string, timestamp: string, data: object): string {
  return JSON.stringify({ type, timestamp, data });
}

interface Posting {
  readonly url: string;
  readonly secrets: readonly WebhookSecret[];
  readonly nowMs: number;
  readonly signal?: AbortSignal;
}

/** Signs for this one try: the time is part of it. */
export async function postMessage(
  outbound: Pick<Outbound, "postJson">,
  { id, body }: WebhookMessage,
  { url, secrets, nowMs, signal }: Posting,
): Promise<PostResult> {
  const headers = signatureHeaders({ id, timestampSeconds: Math.floor(nowMs / 1_000), body }, secrets);
  return outbound.postJson({ uri: url, json: body, headers, timeoutMs: POST_TIMEOUT_MS, signal });
}

/** Whether it was taken (2xx). */
export function isTaken(result: PostResult): boolean {
  return result.type === "answered" && result.status >= 200 && result.status < 300;
}

/** A word for the log: `status_503`, `failed_timeout`, `refused_address`. */
export function reasonOf(result: PostResult): string {
  return result.type === "answered" ? `status_${result.status}` : `${result.type}_${result.reason}`;
}
