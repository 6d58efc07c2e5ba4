import { sql } from "kysely";
import type { Clock } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import { nameOf, readSealedOf, readWindow } from "./event-window.ts";
import { listMonths, monthOf, PARTED } from "./partitions.ts";

/** How far the chain is behind, and whether there is room for what is to come. */
export interface AuditBacklog {
  /** Events that have no place in the chain yet; of many, about the first thousand. */
  readonly waiting: number;
  /** How long the oldest of them has waited; 0 where none does. */
  readonly oldestSeconds: number;
  /** When the chain was last signed; `undefined` before the first time. */
  readonly signedAt: Date | undefined;
  /** For how many months after this one there are partitions. */
  readonly monthsAhead: number;
}

const COUNTED_MAX = 1_000;

export async function readBacklog(db: Db, clock: Clock): Promise<AuditBacklog> {
  const { waiting, oldestMs } = await readWaiting(db);
  const { rows } = await sql<{ signedAt: Date | null }>`
    select max(created_at) as "signedAt" from audit_checkpoints where kind = 'checkpoint'`.execute(db);
  const nowMs = clock.nowMs();
  const now = monthOf(nowMs);
  const months = await listMonths(db, PARTED.events);
  return {
    waiting,
    oldestSeconds: oldestMs === undefined ? 0 : Math.max(0, (nowMs - oldestMs) / 1_000),
    signedAt: rows[0]?.signedAt ?? undefined,
    monthsAhead: months.filter((month) => month > now).length,
  };
}

/** Events that are committed and have no place yet. */
export async function readWaiting(
  db: Db,
): Promise<{ readonly waiting: number; readonly oldestMs: number | undefined }> {
  const { rows } = await sql<{ settledId: string; lastId: string }>`
    select settled_id::text as "settledId", last_value::text as "lastId" from audit_chain, audit_events_id_seq`.execute(
    db,
  );
  const last = BigInt(rows[0]?.lastId ?? 0);
  const times: number[] = [];
  for (let after = BigInt(rows[0]?.settledId ?? 0); after < last && times.length < COUNTED_MAX;) {
    const window = await readWindow(db, after, last);
    const sealed = await readSealedOf(db, window);
    const waiting = window.events.filter((event) => !sealed.has(nameOf(event)));
    times.push(...waiting.map(({ occurredAt }) => Number(BigInt(occurredAt) / 1_000n)));
    after = window.upTo;
  }
  return { waiting: times.length, oldestMs: times.length === 0 ? undefined : Math.min(...times) };
}
