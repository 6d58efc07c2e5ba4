/**
 * What lies in the outbox for an endpoint: where the event stands in the log, and nothing of it. So it is read when it is
 * sent, and what was erased by then is not told.
 */
export function contentOf(position: string): Buffer {
  return Buffer.from(position);
}

export function positionOf(content: Uint8Array): bigint {
  return BigInt(Buffer.from(content).toString());
}
