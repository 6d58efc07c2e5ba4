import { type Audit, type AuditChain, isAuditEventType } from "../audit/index.ts";
import { AppError, type Clock, type Sealer } from "../core/index.ts";
import { type Backlog, createOutbox } from "../outbox/index.ts";
import type { AddressPolicy, Outbound } from "../outbound/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import { disableEndpoint, giveUp } from "./giving-up.ts";
import { type WebhookObserver, toWebhookSettled } from "./observer.ts";
import { type PostResult, postMessage, testMessage } from "./post-message.ts";
import { addSecret, createSecret, livingSecrets, openSecrets, sealSecrets, spellSecret } from "./secrets.ts";
import { type DisabledReason, WEBHOOK_TABLE, withWebhookTables } from "./tables.ts";

export interface NewWebhook {
  readonly id: string;
  readonly url: string;
  /** Types of events that it wants; all of them when absent. */
  readonly kinds?: readonly string[] | undefined;
}

export interface WebhookSummary {
  readonly id: string;
  readonly url: string;
  readonly kinds: readonly string[] | undefined;
  readonly createdAt: Date;
  /** To within a minute. */
  readonly lastSuccessAt: Date | undefined;
  readonly disabledAt: Date | undefined;
  readonly disabledReason: DisabledReason | undefined;
  /** How many events wait to be sent to it. */
  readonly waiting: number;
  /** Since when the oldest of them waits. */
  readonly waitingSince: Date | undefined;
}

/** The endpoints that are told of events. What changes one is in the audit log. */
export interface Webhooks {
  /** Tells of what happens from now on. Returns the secret, which nobody sees again. @throws AppError WEBHOOK_INVALID, WEBHOOK_EXISTS, WEBHOOK_LIMIT_REACHED */
  add(webhook: NewWebhook): Promise<{ readonly id: string; readonly secret: string }>;
  list(): Promise<readonly WebhookSummary[]>;
  /** @throws AppError WEBHOOK_NOT_FOUND, as do all that name one. */
  remove(id: string): Promise<void>;
  /** Signs with a new secret; with the old one too, for so long. */
  rotate(id: string, keepOldForSeconds: number): Promise<{ readonly secret: string }>;
  /** Goes on where it ended: with what was not delivered then, as far as the audit log still has it. */
  enable(id: string): Promise<void>;
  disable(id: string): Promise<void>;
  /** Sends a message that tells of nothing, once and at once, and says what came of it. */
  test(id: string): Promise<PostResult>;
  /** Seals anew what an older secret sealed; returns how many. */
  reseal(): Promise<number>;
  /** Gives up what could not be delivered in days. */
  sweep(): Promise<number>;
  readBacklog(): Promise<Backlog>;
}

export interface WebhooksDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly chain: Pick<AuditChain, "readPosition">;
  readonly sealer: Sealer;
  readonly addresses: Pick<AddressPolicy, "uriFault">;
  readonly outbound: Pick<Outbound, "postJson">;
  readonly observer: WebhookObserver;
}

/** Each has places of its own in every node's worker, which has no more. */
export const WEBHOOKS_MAX = 16;
const KEEP_OLD_SECONDS_MAX = 90 * 24 * 60 * 60;
const ID = /^[\w.-]{1,64}$/;

export function createWebhooks(deps: WebhooksDeps): Webhooks {
  const { db, clock, audit, observer } = deps;
  const outbox = createOutbox({
    db,
    clock,
    table: WEBHOOK_TABLE,
    onGivenUp: (tx, row) => giveUp(deps, tx, row),
    settled: (row) => observer.settled(toWebhookSettled(row)),
  });
  const changing = <Result>(change: (tx: Db) => Promise<Result>): Promise<Result> =>
    guardStore(() => db.transaction().execute(change));

  return {
    add: (webhook) => addWebhook(deps, webhook),
    list: () => guardStore(() => listWebhooks(db)),

    remove: (id) =>
      changing(async (tx) => {
        const { numDeletedRows } = await withWebhookTables(tx)
          .deleteFrom("webhooks")
          .where("id", "=", id)
          .executeTakeFirst();
        if (numDeletedRows === 0n) throw new AppError("WEBHOOK_NOT_FOUND");
        await audit.append(tx, { type: "webhook_removed", data: { webhook: id } });
      }),

    rotate: (id, keepOldForSeconds) => changing((tx) => rotateSecret(deps, tx, { id, keepOldForSeconds })),

    enable: (id) =>
      changing(async (tx) => {
        const { disabled_at: disabledAt } = await getRow(tx, id);
        if (disabledAt === null) return;
        await withWebhookTables(tx)
          .updateTable("webhooks")
          .set({ disabled_at: null, disabled_reason: null })
          .where("id", "=", id)
          .execute();
        await audit.append(tx, { type: "webhook_enabled", data: { webhook: id } });
      }),

    disable: (id) =>
      changing(async (tx) => {
        await getRow(tx, id);
        await disableEndpoint(deps, tx, { id, reason: "operator" });
      }),

    async test(id) {
      const { url, sealed_secrets: sealed } = await guardStore(() => getRow(db, id));
      const secrets = openSecrets(deps.sealer, id, sealed);
      if (secrets === undefined) throw new AppError("SECRET_UNKNOWN");
      const nowMs = clock.nowMs();
      return postMessage(deps.outbound, testMessage(nowMs), { url, nowMs, secrets: livingSecrets(secrets, nowMs) });
    },

    reseal: () => guardStore(() => resealSecrets(deps)),
    sweep: () => outbox.sweep(),
    readBacklog: () => outbox.readBacklog(),
  };
}

async function addWebhook(deps: WebhooksDeps, { id, url, kinds }: NewWebhook) {
  const fault = faultOf(deps, { id, url, kinds });
  if (fault !== undefined) throw new AppError("WEBHOOK_INVALID", { detail: fault });
  const secret = createSecret();
  const row = {
    id,
    url,
    kinds: kinds === undefined ? null : JSON.stringify(kinds),
    sealed_secrets: sealSecrets(deps.sealer, id, [secret]),
    created_at: new Date(deps.clock.nowMs()),
    last_success_at: null,
    disabled_at: null,
    disabled_reason: null,
  };
  const position = await guardStore(() => deps.chain.readPosition());
  await guardStore(() =>
    deps.db.transaction().execute(async (tx) => {
      const tables = withWebhookTables(tx);
      const { count } = await tables
        .selectFrom("webhooks")
        .select(({ fn }) => fn.countAll<string | number>().as("count"))
        .executeTakeFirstOrThrow();
      if (Number(count) >= WEBHOOKS_MAX) throw new AppError("WEBHOOK_LIMIT_REACHED");
      const { numInsertedOrUpdatedRows } = await tables
        .insertInto("webhooks")
        .values({ ...row, position })
        .onConflict((conflict) => conflict.column("id").doNothing())
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows === 0n) throw new AppError("WEBHOOK_EXISTS");
      await deps.audit.append(tx, { type: "webhook_added", data: { webhook: id, host: new URL(url).host } });
    }),
  );
  return { id, secret: spellSecret(secret) };
}

function faultOf({ addresses }: WebhooksDeps, { id, url, kinds }: NewWebhook): string | undefined {
  if (!ID.test(id)) return "its id is not 1 to 64 letters, digits, dots, underscores and hyphens";
  const uriFault = addresses.uriFault(url);
  if (uriFault !== undefined) return `its URL ${uriFault}`;
  const { username, password } = new URL(url);
  if (username !== "" || password !== "") return "its URL has a user or a password, which would stand in the open";
  if (kinds?.length === 0) return "it wants no event";
  const unknown = kinds?.find((kind) => !isAuditEventType(kind));
  return unknown === undefined ? undefined : `there is no event ${JSON.stringify(unknown)} (docs/audit-events.md)`;
}

async function getRow(tx: Db, id: string) {
  const row = await withWebhookTables(tx)
    .selectFrom("webhooks")
    .selectAll()
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new AppError("WEBHOOK_NOT_FOUND");
  return row;
}

async function rotateSecret(
  { clock, sealer, audit }: WebhooksDeps,
  tx: Db,
  { id, keepOldForSeconds }: { readonly id: string; readonly keepOldForSeconds: number },
) {
  if (!Number.isInteger(keepOldForSeconds) || keepOldForSeconds < 0 || keepOldForSeconds > KEEP_OLD_SECONDS_MAX) {
    throw new AppError("WEBHOOK_INVALID", { detail: "an old secret is kept for 0 to 90 days" });
  }
  const { sealed_secrets: sealed } = await getRow(tx, id);
  const nowMs = clock.nowMs();
  // One that nobody can read signs nothing any more, and may be replaced all the same.
  const before = openSecrets(sealer, id, sealed) ?? [];
  const secret = createSecret();
  const secrets = addSecret(before, { secret, untilMs: nowMs + keepOldForSeconds * 1_000, nowMs });
  await withWebhookTables(tx)
    .updateTable("webhooks")
    .set({ sealed_secrets: sealSecrets(sealer, id, secrets) })
    .where("id", "=", id)
    .execute();
  await audit.append(tx, { type: "webhook_secret_rotated", data: { webhook: id, keepOldForSeconds } });
  return { secret: spellSecret(secret) };
}

async function listWebhooks(db: Db): Promise<readonly WebhookSummary[]> {
  const tables = withWebhookTables(db);
  const rows = await tables.selectFrom("webhooks").selectAll().orderBy("id").execute();
  const waiting = await tables
    .selectFrom("webhook_outbox")
    .select(({ fn }) => ["webhook_id", fn.countAll<string | number>().as("count"), fn.min("created_at").as("since")])
    .groupBy("webhook_id")
    .execute();
  return rows.map((row) => {
    const backlog = waiting.find(({ webhook_id: id }) => id === row.id);
    return {
      id: row.id,
      url: row.url,
      kinds: row.kinds ?? undefined,
      createdAt: row.created_at,
      lastSuccessAt: row.last_success_at ?? undefined,
      disabledAt: row.disabled_at ?? undefined,
      disabledReason: row.disabled_reason ?? undefined,
      waiting: Number(backlog?.count ?? 0),
      waitingSince: backlog?.since,
    };
  });
}

async function resealSecrets({ db, sealer }: WebhooksDeps): Promise<number> {
  let count = 0;
  const rows = await withWebhookTables(db).selectFrom("webhooks").select(["id", "sealed_secrets"]).execute();
  for (const { id, sealed_secrets: sealed } of rows) {
    const secrets = sealer.isStale(sealed) ? openSecrets(sealer, id, sealed) : undefined;
    if (secrets === undefined) continue;
    // Unless somebody has changed it meanwhile, who has sealed it with the newest.
    await withWebhookTables(db)
      .updateTable("webhooks")
      .set({ sealed_secrets: sealSecrets(sealer, id, secrets) })
      .where("id", "=", id)
      .where("sealed_secrets", "=", sealed)
      .execute();
    count += 1;
  }
  return count;
}
