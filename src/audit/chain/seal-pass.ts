import { sql } from "kysely";
import type { Clock, KeySeals } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import { SEALED_CHANNEL } from "../tables.ts";
import { obtainChainKey } from "./chain-key.ts";
import { tryLockChain } from "./chain-lock.ts";
import { signHead } from "./checkpoints.ts";
import {
  CHAINED_EVENT,
  type ChainedEvent,
  digestEvent,
  digestPersonal,
  hashLink,
  microseconds,
  timeOf,
} from "./digests.ts";
import { nameOf, readSealedOf, readWindow } from "./event-window.ts";

export interface SealDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly seals: KeySeals;
  readonly issuer: string;
}

export type SealPass =
  /** Another node is at it. */
  | { readonly type: "busy" }
  /** There was nothing to do. */
  | { readonly type: "quiet" }
  /** `isMore`: there may be more that waits. */
  | { readonly type: "sealed"; readonly count: number; readonly isMore: boolean };

/**
 * All transactions that drew an id up to `lastId` have a number below `transaction`, because an id is drawn after the
 * number (see the default of `audit_events.id`). Once those are over, no event with such an id can come any more.
 */
interface Mark {
  readonly lastId: bigint;
  readonly transaction: bigint;
}

/** What a node remembers from one pass to the next. To forget it costs nothing but another look. */
export interface SealMemory {
  mark: Mark | undefined;
  /** Up to here all was looked at. What is committed later with a smaller id is found by the next whole look. */
  seenId: bigint;
  wholeLookAtMs: number;
}

export const freshMemory = (): SealMemory => ({ mark: undefined, seenId: 0n, wholeLookAtMs: 0 });

interface Head {
  readonly position: bigint;
  readonly hash: Uint8Array;
  /** Microseconds since 1970; `null` before the first event. */
  readonly sealedAt: string | null;
  readonly settledId: bigint;
  readonly lastId: bigint;
}

/** Where a long transaction keeps ids from being settled, what lies behind them is gone through again this seldom. */
const WHOLE_LOOK_EVERY_MS = 10_000;
const FAR = 5_000n;

/** Gives a batch of committed events their places in the chain, and signs how far it has come, in one transaction. */
export async function sealSome(deps: SealDeps, memory: SealMemory): Promise<SealPass> {
  if (await isQuiet(deps.db)) return { type: "quiet" };
  return deps.db.transaction().execute(async (tx): Promise<SealPass> => {
    if (!(await tryLockChain(tx))) return { type: "busy" };
    return sealUnderLock(deps, tx, memory);
  });
}

async function isQuiet(db: Db): Promise<boolean> {
  const { settledId, lastId } = await readHead(db);
  return lastId <= settledId;
}

async function sealUnderLock(deps: SealDeps, tx: Db, memory: SealMemory): Promise<SealPass> {
  const head = await readHead(tx);
  // After the head was read, so that our number is larger than that of whoever drew `lastId`.
  const now = await readTransactions(tx);
  const isWholeDue = Math.abs(deps.clock.nowMs() - memory.wholeLookAtMs) >= WHOLE_LOOK_EVERY_MS;
  const isWhole = memory.seenId - head.settledId < FAR || isWholeDue;
  const found = await findUnsealed(tx, isWhole ? head.settledId : memory.seenId, head.lastId);
  const { mark } = memory;
  const isSettled = mark !== undefined && now.oldestRunning >= mark.transaction;
  if (isSettled || mark === undefined) memory.mark = { lastId: head.lastId, transaction: now.own };
  if (isWhole && found.isEnd) memory.wholeLookAtMs = deps.clock.nowMs();
  const settledId = isSettled && isWhole ? least(mark.lastId, found.lookedUpTo) : head.settledId;
  if (found.ids.length > 0) await sealEvents(deps, tx, { head, ids: found.ids });
  if (settledId > head.settledId) {
    await sql`update audit_chain set settled_id = ${String(settledId)}::bigint`.execute(tx);
  }
  if (found.lookedUpTo > memory.seenId) memory.seenId = found.lookedUpTo;
  return { type: "sealed", count: found.ids.length, isMore: !found.isEnd };
}

function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

export async function readHead(db: Db): Promise<Head> {
  const { rows } = await sql<{
    position: string;
    hash: Uint8Array;
    sealedAt: string | null;
    settledId: string;
    lastId: string;
  }>`
    select position::text as position, hash, ${microseconds("sealed_at")} as "sealedAt", settled_id::text as "settledId",
      (case when is_called then last_value else 0 end)::text as "lastId"
    from audit_chain, audit_events_id_seq`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error("the audit log has lost the head of its chain");
  const { position, settledId, lastId } = row;
  return { ...row, position: BigInt(position), settledId: BigInt(settledId), lastId: BigInt(lastId) };
}

async function readTransactions(tx: Db): Promise<{ readonly own: bigint; readonly oldestRunning: bigint }> {
  const { rows } = await sql<{ own: string; oldest: string }>`
    select pg_current_xact_id()::text as own, pg_snapshot_xmin(pg_current_snapshot())::text as oldest`.execute(tx);
  return { own: BigInt(rows[0]?.own ?? 0), oldestRunning: BigInt(rows[0]?.oldest ?? 0) };
}

interface Unsealed {
  readonly ids: readonly string[];
  /** Every event up to this id was looked at. */
  readonly lookedUpTo: bigint;
  readonly isEnd: boolean;
}

/** The first events behind `after` that have no place yet. */
async function findUnsealed(tx: Db, after: bigint, lastId: bigint): Promise<Unsealed> {
  for (let from = after; ;) {
    const window = await readWindow(tx, from, lastId);
    const sealed = window.events.length === 0 ? new Set<string>() : await readSealedOf(tx, window);
    const ids = window.events.filter((event) => !sealed.has(nameOf(event))).map(({ id }) => id);
    const isEnd = window.upTo >= lastId;
    if (ids.length > 0 || isEnd) return { ids, lookedUpTo: window.upTo, isEnd };
    from = window.upTo;
  }
}

interface Sealing {
  readonly head: Head;
  readonly ids: readonly string[];
}

async function sealEvents(deps: SealDeps, tx: Db, { head, ids }: Sealing): Promise<void> {
  const { clock, issuer } = deps;
  const key = await obtainChainKey(tx, deps);
  const { rows: events } = await sql<ChainedEvent>`
    select ${CHAINED_EVENT} from audit_events event where event.id = any(${ids}::bigint[]) order by event.id`.execute(
    tx,
  );
  const signedAt = new Date(clock.nowMs());
  const now = BigInt(signedAt.getTime()) * 1_000n;
  // A clock that was set back does not set back the chain.
  const sealedAt = String(now > BigInt(head.sealedAt ?? 0) ? now : head.sealedAt);
  let { position, hash } = head;
  const links = events.map((event) => {
    const personal = digestPersonal(event);
    const digest = digestEvent(event, personal);
    position += 1n;
    hash = hashLink(hash, { position, sealedAt, digest });
    return { position: String(position), event, personal: personal?.toString("hex") ?? null, digest, hash };
  });
  const column = (read: (link: (typeof links)[number]) => string | null) => links.map(read);
  await sql`
    insert into audit_seals (position, sealed_at, event_id, occurred_at, personal_digest, digest, hash)
      select position, ${timeOf(sealedAt)}, event_id, timestamptz 'epoch' + occurred_at * interval '1 microsecond',
        decode(personal, 'hex'), decode(digest, 'hex'), decode(hash, 'hex')
      from unnest(
        ${column((link) => link.position)}::bigint[], ${column(({ event }) => event.id)}::bigint[],
        ${column(({ event }) => event.occurredAt)}::bigint[], ${column(({ personal }) => personal)}::text[],
        ${column(({ digest }) => digest.toString("hex"))}::text[],
        ${column((link) => Buffer.from(link.hash).toString("hex"))}::text[]
      ) link (position, event_id, occurred_at, personal, digest, hash)`.execute(tx);
  await sql`
    update audit_chain set position = ${String(position)}::bigint, hash = ${Buffer.from(hash)},
      sealed_at = ${timeOf(sealedAt)}`.execute(tx);
  await signHead(tx, key, { issuer, position, hash, sealedAt, signedAt });
  // To wake readers; that of each event would be a burden to whoever signs in.
  await sql`select pg_notify(${SEALED_CHANNEL}, '')`.execute(tx);
}
