import type { AuditEventType } from "./event-catalogue.ts";
import type { Actor, Outcome } from "./event-facts.ts";

/** Something that happened and that an operator may have to answer for. Absent fields were not known or do not apply. */
export interface AuditEvent {
  readonly type: AuditEventType;
  /** Who did it, where it was another than `EVENT_FACTS` says of this type. */
  readonly actor?: Actor | undefined;
  /** Whom it is about. */
  readonly accountId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** Leads to the log lines of the same request. */
  readonly requestId?: string | undefined;
  /** The address that the request came from, as seen behind trusted proxies. */
  readonly address?: string | undefined;
  /** The browser and the system that it came from, such as "Firefox on Linux"; found out where there is an address. */
  readonly device?: string | undefined;
  /**
   * Particulars of this type of event, at most 4 KiB of JSON. Never a secret, and nothing that a person typed or that
   * says who they are: when an account is deleted, address and device are erased, and this is kept.
   */
  readonly data?: AuditData | undefined;
}

export type AuditData = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface StoredAuditEvent extends AuditEvent {
  readonly actor: Actor;
  readonly outcome: Outcome;
  /** A decimal number; larger ones were written later, give or take events that were written at the same moment. */
  readonly id: string;
  readonly occurredAt: Date;
  readonly data: AuditData;
}

export interface AuditFilter {
  readonly accountId?: string | undefined;
  readonly type?: AuditEventType | undefined;
  /** Of any of these types. */
  readonly types?: readonly AuditEventType[] | undefined;
  readonly clientId?: string | undefined;
  /** Only older events than the one with this id, for the next page. */
  readonly before?: string | undefined;
  /** Only events from then on. */
  readonly since?: Date | undefined;
  /** Only events before then. */
  readonly until?: Date | undefined;
  /** How many events at most, from 1 to 1,000. */
  readonly limit: number;
}

/** An event with its place in the chain. */
export interface SealedAuditEvent extends StoredAuditEvent {
  /** A decimal number: 1 for the first event, one more for each. Who has read up to one has missed nothing before it. */
  readonly position: string;
  readonly sealedAt: Date;
}
