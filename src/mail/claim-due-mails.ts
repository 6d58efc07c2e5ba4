import { sql } from "kysely";
import type { Db } from "../storage/index.ts";
import { MAIL_KINDS, type MailKind } from "./templates/index.ts";

/** A mail that this node holds until its lease runs out. */
export interface ClaimedMail {
  readonly id: string;
  readonly kind: MailKind;
  readonly content: Uint8Array;
  /** How many tries there were, this one included. The row is ours for as long as it says the same. */
  readonly tries: number;
  readonly expiresAtMs: number;
}

export interface ClaimOptions {
  readonly nowMs: number;
  /** For how long no other node takes what this one took. */
  readonly leaseMs: number;
  readonly limit: number;
}

interface ClaimedRow {
  readonly id: string;
  readonly kind: MailKind;
  readonly content: Uint8Array;
  readonly tries: number;
  readonly expires_at: Date;
}

/** Takes what is due, so that no other node does. Kinds that a newer version brought are left to its nodes. */
export async function claimDueMails(db: Db, { nowMs, leaseMs, limit }: ClaimOptions): Promise<readonly ClaimedMail[]> {
  const now = new Date(nowMs);
  const { rows } = await sql<ClaimedRow>`
    with taken as (
      select id from mail_outbox
       where due_at <= ${now}::timestamptz and expires_at > ${now}::timestamptz and kind = any(${MAIL_KINDS})
       order by due_at limit ${limit}::integer for update skip locked
    )
    update mail_outbox as held set due_at = ${new Date(nowMs + leaseMs)}::timestamptz, tries = held.tries + 1
      from taken where held.id = taken.id
    returning held.id, held.kind, held.content, held.tries, held.expires_at`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    content: row.content,
    tries: row.tries,
    expiresAtMs: row.expires_at.getTime(),
  }));
}
