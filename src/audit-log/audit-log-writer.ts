import { sql } from "kysely";
import { type AuditChain, toEventJson } from "../audit/index.ts";
import { type Clock, createLookout, type Lookout, randomToken } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { EventSink } from "./event-sink.ts";

export interface AuditLogDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly chain: Pick<AuditChain, "readSealed">;
  readonly sink: EventSink;
  /** Told of what could not be read or written: once, until it works again. */
  readonly report: (error: unknown) => void;
}

/** Woken when something was sealed; this is also how often a process says that it writes. */
const LOOK_EVERY_MS = 5_000;
/** A process that says nothing for so long has died, or cannot write. */
export const LEASE_MS = 30_000;
const EVENTS_AT_ONCE = 200;
const HOLDER_BYTES = 12;

/**
 * Writes what is new, if no other process of the deployment does. Who writes goes on doing so, and lets another have it
 * when it stops or cannot write.
 */
export function createAuditLogWriter(deps: AuditLogDeps): Lookout {
  const holder = randomToken(HOLDER_BYTES);
  const lookout = createLookout({ look, everyMs: LOOK_EVERY_MS, reportFailure: deps.report });

  async function look(): Promise<void> {
    let position = await claim(deps, holder);
    try {
      while (position !== undefined) position = await writeSome(deps, holder, position);
    } catch (error) {
      await release(deps.db, holder);
      throw error;
    }
  }

  return {
    ...lookout,
    async close() {
      await lookout.close();
      await release(deps.db, holder).catch(deps.report);
      await deps.sink.close();
    },
  };
}

/** The position to go on behind; `undefined` when it is another's to write. */
async function claim({ db, clock }: AuditLogDeps, holder: string): Promise<string | undefined> {
  const nowMs = clock.nowMs();
  const { rows } = await sql<{ position: string }>`
    update audit_log_progress
       set holder = ${holder}, held_until = ${new Date(nowMs + LEASE_MS)}::timestamptz
     where holder is null or holder = ${holder} or held_until <= ${new Date(nowMs)}::timestamptz
    returning position::text as position`.execute(db);
  return rows[0]?.position;
}

/** Returns the position to go on behind, where there may be more. */
async function writeSome(deps: AuditLogDeps, holder: string, after: string): Promise<string | undefined> {
  const { events, position } = await deps.chain.readSealed({ after, limit: EVENTS_AT_ONCE });
  if (position === after) return undefined;
  if (events.length > 0) await deps.sink.write(events.map((event) => JSON.stringify(toEventJson(event))));
  const heldUntil = new Date(deps.clock.nowMs() + LEASE_MS);
  const { numAffectedRows = 0n } = await sql`
    update audit_log_progress set position = ${position}::bigint, held_until = ${heldUntil}::timestamptz
     where holder = ${holder} and position = ${after}::bigint`.execute(deps.db);
  // Who took so long that another went on has written these twice, which is better than not at all.
  return numAffectedRows === 0n ? undefined : position;
}

async function release(db: Db, holder: string): Promise<void> {
  await sql`update audit_log_progress set holder = null, held_until = null where holder = ${holder}`.execute(db);
}
