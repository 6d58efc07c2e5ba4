import { sql } from "kysely";
import { sha256 } from "../../core/index.ts";

/**
 * An event as the chain has it: every value as the text that the database makes of it, so that nothing is lost on the
 * way through a driver, and Postgres and the embedded database say the same. Times are microseconds since 1970.
 */
export interface ChainedEvent {
  readonly id: string;
  readonly occurredAt: string;
  readonly type: string;
  readonly actor: string | null;
  readonly accountId: string | null;
  readonly clientId: string | null;
  readonly sessionId: string | null;
  readonly requestId: string | null;
  readonly data: string;
  readonly address: string | null;
  readonly device: string | null;
  /** In hexadecimal. */
  readonly personalSalt: string | null;
}

/** What selects one of `audit_events event`. */
export const CHAINED_EVENT = sql<ChainedEvent>`
  event.id::text as id, ${microseconds("event.occurred_at")} as "occurredAt", event.type, event.actor,
  event.account_id as "accountId", event.client_id as "clientId", event.session_id as "sessionId",
  event.request_id as "requestId", event.data::text as data, event.address, event.device,
  encode(event.personal_salt, 'hex') as "personalSalt"`;

export function microseconds(column: string) {
  return sql<string>`(extract(epoch from ${sql.ref(column)}) * 1000000)::bigint::text`;
}

/** The time that {@link microseconds} told of. */
export function timeOf(text: string) {
  return sql`(timestamptz 'epoch' + ${text}::bigint * interval '1 microsecond')`;
}

/** What the digests are of comes first, so that a value of one kind is none of another. */
const VERSIONS = {
  personal: "latchkey-audit-personal/1",
  event: "latchkey-audit-event/1",
  seal: "latchkey-audit-seal/1",
};

/**
 * Of what identifies the person, under a salt of this event alone: once the salt is erased, nobody can try out which
 * address it was. `undefined` where the event has nothing of the kind, or not any more.
 */
export function digestPersonal({ personalSalt, address, device }: ChainedEvent): Buffer | undefined {
  if (personalSalt === null) return undefined;
  return sha256(frame([VERSIONS.personal, personalSalt, address, device]));
}

/** Of every field of an event, those that identify the person by their own digest. */
export function digestEvent(event: ChainedEvent, personal: Uint8Array | undefined): Buffer {
  const { id, occurredAt, type, actor, accountId, clientId, sessionId, requestId, data } = event;
  const fields = [id, occurredAt, type, actor, accountId, clientId, sessionId, requestId, data];
  const personalDigest = personal === undefined ? null : Buffer.from(personal).toString("hex");
  return sha256(frame([VERSIONS.event, ...fields, personalDigest]));
}

export interface Link {
  readonly position: bigint;
  /** Microseconds since 1970. */
  readonly sealedAt: string;
  readonly digest: Uint8Array;
}

/** @param before the hash of the position before; empty at the first. */
export function hashLink(before: Uint8Array, { position, sealedAt, digest }: Link): Buffer {
  const hex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");
  return sha256(frame([VERSIONS.seal, hex(before), String(position), sealedAt, hex(digest)]));
}

/** With their lengths, so that no two lists are the same octets. */
function frame(values: readonly (string | null)[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      if (value === null) return Buffer.from([0]);
      const text = Buffer.from(value);
      const header = Buffer.alloc(5, 1);
      header.writeUInt32BE(text.length, 1);
      return Buffer.concat([header, text]);
    }),
  );
}
