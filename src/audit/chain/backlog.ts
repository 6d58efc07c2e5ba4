import { sql } from "kysely";
import type { Clock } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import { listMonths, monthOf, PARTED } from "./partitions.ts";

/** How far the chain is behind, and whether there is room for what is to come. */
export interface AuditBacklog {
  /** Events that have no place in the chain yet; of many, the first thousand. */
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
  const { rows } = await sql<{ waiting: string; oldest: Date | null; signedAt: Date | null }>`
    select count(*)::text as waiting, min(occurred_at) as oldest,
      (select max(created_at) from audit_checkpoints where kind = 'checkpoint') as "signedAt"
    from (
      select event.occurred_at from audit_events event
        where event.id > (select settled_id from audit_chain)
          and not exists (select from audit_seals seal where seal.event_id = event.id)
        order by event.id limit ${COUNTED_MAX}
    ) unsealed`.execute(db);
  const { waiting = "0", oldest = null, signedAt = null } = rows[0] ?? {};
  const nowMs = clock.nowMs();
  const now = monthOf(nowMs);
  const months = await listMonths(db, PARTED.events);
  return {
    waiting: Number(waiting),
    oldestSeconds: oldest === null ? 0 : Math.max(0, (nowMs - oldest.getTime()) / 1_000),
    signedAt: signedAt ?? undefined,
    monthsAhead: months.filter((month) => month > now).length,
  };
}
