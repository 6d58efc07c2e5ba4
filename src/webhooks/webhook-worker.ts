import type { Audit, AuditChain } from "../audit/index.ts";
import type { Clock, Sealer } from "../core/index.ts";
import { type ClaimedRow, createOutboxWorker, type OutboxWorker, type TryResult } from "../outbox/index.ts";
import type { Outbound } from "../outbound/index.ts";
import type { Db } from "../storage/index.ts";
import { giveUp, GONE } from "./giving-up.ts";
import { toWebhookSettled, type WebhookObserver } from "./observer.ts";
import { positionOf } from "./outbox-content.ts";
import { eventMessage, isTaken, postMessage, reasonOf } from "./post-message.ts";
import { livingSecrets, openSecrets } from "./secrets.ts";
import { WEBHOOK_TABLE, withWebhookTables } from "./tables.ts";
import { WEBHOOKS_MAX } from "./webhooks.ts";

/** Sends what waits in the outbox. Every node has one; no two of them have the same event for the same endpoint. */
export type WebhookWorker = OutboxWorker;

export interface WebhookWorkerDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly chain: Pick<AuditChain, "readSealed">;
  readonly sealer: Sealer;
  readonly outbound: Pick<Outbound, "postJson">;
  readonly observer: WebhookObserver;
  /** Told of failures of our own side. */
  readonly report: (error: unknown) => void;
}

/** How many requests one node has under way for one endpoint. All endpoints may hang, and none waits for another's place. */
export const PLACES_PER_WEBHOOK = 4;
export const LEASE_MS = 30_000;
const SUCCESS_NOTED_EVERY_MS = 60_000;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
/** Until the event's three days are over. */
export const PAUSES_SECONDS = [
  5,
  30,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
] as const;

export function createWebhookWorker(deps: WebhookWorkerDeps): WebhookWorker {
  const { db, clock, observer, report } = deps;
  return createOutboxWorker({
    db,
    clock,
    table: WEBHOOK_TABLE,
    report,
    limits: {
      placesMax: WEBHOOKS_MAX * PLACES_PER_WEBHOOK,
      placesPerLane: PLACES_PER_WEBHOOK,
      leaseMs: LEASE_MS,
      pausesSeconds: PAUSES_SECONDS,
    },
    lanes: () => listEndpoints(db),
    attempt: (row, signal) => attempt(deps, row, signal),
    onGivenUp: (tx, row) => giveUp(deps, tx, row),
    settled: (row) => observer.settled(toWebhookSettled(row)),
  });
}

async function listEndpoints(db: Db): Promise<readonly string[]> {
  const rows = await withWebhookTables(db)
    .selectFrom("webhooks")
    .select("id")
    .where("disabled_at", "is", null)
    .execute();
  return rows.map(({ id }) => id);
}

async function attempt(deps: WebhookWorkerDeps, row: ClaimedRow, signal: AbortSignal): Promise<TryResult> {
  const endpoint = await withWebhookTables(deps.db)
    .selectFrom("webhooks")
    .selectAll()
    .where("id", "=", row.lane)
    .executeTakeFirst();
  // Its rows went with it.
  if (endpoint === undefined) return { type: "accepted" };
  const secrets = openSecrets(deps.sealer, endpoint.id, endpoint.sealed_secrets);
  if (secrets === undefined) return { type: "unprepared" };
  const event = await findEvent(deps, positionOf(row.content));
  // No longer kept: there is nothing to tell.
  if (event === undefined) return { type: "accepted" };
  const nowMs = deps.clock.nowMs();
  const posting = { url: endpoint.url, secrets: livingSecrets(secrets, nowMs), nowMs, signal };
  const result = await postMessage(deps.outbound, eventMessage(event), posting);
  if (isTaken(result)) {
    await noteSuccess(deps, endpoint.id).catch(deps.report);
    return { type: "accepted" };
  }
  const reason = reasonOf(result);
  return { type: reason === GONE ? "refused" : "failed", reason };
}

async function findEvent({ chain }: WebhookWorkerDeps, position: bigint) {
  const { events } = await chain.readSealed({ after: String(position - 1n), limit: 1 });
  return events.find((event) => event.position === String(position));
}

/** Not for every event: whether it took one since another was put down days ago is all that is asked. */
async function noteSuccess({ db, clock }: WebhookWorkerDeps, id: string): Promise<void> {
  const nowMs = clock.nowMs();
  await withWebhookTables(db)
    .updateTable("webhooks")
    .set({ last_success_at: new Date(nowMs) })
    .where("id", "=", id)
    .where((where) =>
      where.or([
        where("last_success_at", "is", null),
        where("last_success_at", "<", new Date(nowMs - SUCCESS_NOTED_EVERY_MS)),
      ]),
    )
    .execute();
}
