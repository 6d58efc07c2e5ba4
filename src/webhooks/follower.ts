import type { AuditChain, SealedAuditEvent } from "../audit/index.ts";
import { type Clock, createLookout, type Lookout } from "../core/index.ts";
import { createOutbox, type Outbox } from "../outbox/index.ts";
import type { Db } from "../storage/index.ts";
import { contentOf } from "./outbox-content.ts";
import { WEBHOOK_TABLE, withWebhookTables } from "./tables.ts";

export interface FollowerDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly chain: Pick<AuditChain, "readSealed">;
  /** No more waits in the outbox for one endpoint: the rest waits in the log. */
  readonly waitingMax?: number;
  /** Told of failures of our own side. */
  readonly report: (error: unknown) => void;
}

/** Woken when something was sealed; this is for when nobody said so. */
const LOOK_EVERY_MS = 5_000;
const EVENTS_AT_ONCE = 200;
const WAITING_MAX = 1_000;
const DAY_SECONDS = 24 * 60 * 60;
/** How long an event is tried. */
export const LIFETIME_SECONDS = 3 * DAY_SECONDS;

/** Puts events of the audit log into the outbox, for each endpoint those that it wants. Every node has one; they take turns. */
export function createWebhookFollower(deps: FollowerDeps): Lookout {
  const outbox = createOutbox({ db: deps.db, clock: deps.clock, table: WEBHOOK_TABLE, settled: () => undefined });
  return createLookout({ look: () => followAll(deps, outbox), everyMs: LOOK_EVERY_MS, reportFailure: deps.report });
}

async function followAll(deps: FollowerDeps, outbox: Outbox): Promise<void> {
  const endpoints = await withWebhookTables(deps.db)
    .selectFrom("webhooks")
    .select(["id", "kinds", "position"])
    .where("disabled_at", "is", null)
    .execute();
  for (const { id, kinds, position } of endpoints) {
    let after: string | undefined = String(position);
    while (after !== undefined) after = await followOn(deps, outbox, { id, kinds, after });
  }
}

interface Following {
  readonly id: string;
  readonly kinds: readonly string[] | null;
  readonly after: string;
}

/** Passes some events; returns the position to go on behind, where there may be more. */
async function followOn(deps: FollowerDeps, outbox: Outbox, following: Following): Promise<string | undefined> {
  const { id, after } = following;
  const { events, position } = await deps.chain.readSealed({ after, limit: EVENTS_AT_ONCE });
  if (position === after) return undefined;
  const rows = events
    .filter((event) => isWanted(event, following))
    .map((event) => ({
      id: `${id}:${event.position}`,
      lane: id,
      content: contentOf(event.position),
      lifetimeSeconds: LIFETIME_SECONDS,
    }));
  const isDone = await deps.db.transaction().execute(async (tx) => {
    const tables = withWebhookTables(tx);
    const endpoint = await tables
      .selectFrom("webhooks")
      .select(["position", "disabled_at"])
      .where("id", "=", id)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
    // Another node is at it, was before us, or somebody has disabled it.
    if (endpoint === undefined || endpoint.disabled_at !== null || String(endpoint.position) !== after) return false;
    if ((await countWaiting(tx, id)) + rows.length > (deps.waitingMax ?? WAITING_MAX)) return false;
    await outbox.put(tx, rows);
    await tables.updateTable("webhooks").set({ position }).where("id", "=", id).execute();
    return true;
  });
  return isDone ? position : undefined;
}

/** An endpoint is not told that it could not be told: that would have no end. */
function isWanted({ type, data }: SealedAuditEvent, { id, kinds }: Following): boolean {
  if (type === "webhook_given_up" && data["webhook"] === id) return false;
  return kinds === null || kinds.includes(type);
}

async function countWaiting(tx: Db, id: string): Promise<number> {
  const { count } = await withWebhookTables(tx)
    .selectFrom("webhook_outbox")
    .select(({ fn }) => fn.countAll<string | number>().as("count"))
    .where("webhook_id", "=", id)
    .executeTakeFirstOrThrow();
  return Number(count);
}
