import type { Audit } from "../audit/index.ts";
import type { Clock } from "../core/index.ts";
import type { EndedRow } from "../outbox/index.ts";
import type { Db } from "../storage/index.ts";
import { positionOf } from "./outbox-content.ts";
import { type DisabledReason, withWebhookTables } from "./tables.ts";

interface GivingUpDeps {
  readonly clock: Clock;
  readonly audit: Audit;
}

/** What an endpoint answers that does not want to be told any more (Standard Webhooks, and RFC 9110, section 15.5.11). */
export const GONE = "status_410";

/**
 * What else is to be done about an event that was given up, in the transaction that does: an endpoint that is gone, or took
 * nothing since this event was put down, is told nothing any more; of one that took others it is written down.
 */
export async function giveUp(deps: GivingUpDeps, tx: Db, row: EndedRow): Promise<void> {
  const { lane: id, reason, tries } = row;
  if (reason === GONE) return disableEndpoint(deps, tx, { id, reason: "gone", undelivered: positionOf(row.content) });
  const endpoint = await withWebhookTables(tx)
    .selectFrom("webhooks")
    .select("last_success_at")
    .where("id", "=", id)
    .executeTakeFirst();
  const lastSuccessMs = endpoint?.last_success_at?.getTime() ?? 0;
  if (lastSuccessMs < row.createdAtMs) {
    return disableEndpoint(deps, tx, { id, reason: "failing", undelivered: positionOf(row.content) });
  }
  await deps.audit.append(tx, { type: "webhook_given_up", data: { webhook: id, tries, reason } });
}

interface Disabling {
  readonly id: string;
  readonly reason: DisabledReason;
  /** The position of an event that is not in the outbox any more, and was not delivered. */
  readonly undelivered?: bigint;
}

/** Takes what waits for it out of the outbox, and puts its position before all of that: so nothing is lost by enabling it. */
export async function disableEndpoint(
  { audit, clock }: GivingUpDeps,
  tx: Db,
  { id, reason, undelivered }: Disabling,
): Promise<void> {
  const tables = withWebhookTables(tx);
  const endpoint = await tables.selectFrom("webhooks").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
  if (endpoint === undefined) return;
  const waiting = await tables.deleteFrom("webhook_outbox").where("webhook_id", "=", id).returning("content").execute();
  const positions = waiting.map(({ content }) => positionOf(content));
  const behind = [...positions, ...(undelivered === undefined ? [] : [undelivered])].map((one) => one - 1n);
  const position = behind.reduce((least, one) => (one < least ? one : least), BigInt(endpoint.position));
  const isNew = endpoint.disabled_at === null;
  await tables
    .updateTable("webhooks")
    .set({
      position: String(position),
      ...(isNew ? { disabled_at: new Date(clock.nowMs()), disabled_reason: reason } : {}),
    })
    .where("id", "=", id)
    .execute();
  if (isNew) await audit.append(tx, { type: "webhook_disabled", data: { webhook: id, reason } });
}
