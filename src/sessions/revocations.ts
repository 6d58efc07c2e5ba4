import { sql } from "kysely";
import { type Clock, epochSeconds } from "../core/index.ts";
import { type Db, DELETE_BATCH, deleteInBatches, guardStore } from "../storage/index.ts";

/** Wakes whoever follows the table. What it says is in the table alone. */
export const REVOCATIONS_CHANNEL = "latchkey_revocations";

/** How far the clocks of two machines of ours may differ. A bound on the time of issuance is set this much later. */
export const CLOCK_TOLERANCE_SECONDS = 5;

/** No access token lives shorter than this counts for, whatever the resource servers say. */
const ACCESS_TOKEN_SECONDS_MIN = 300;
/** For clocks that differ, verifiers' tolerance, and tokens whose issuance was under way. */
const KEPT_BEYOND_SECONDS = 300;
/** Who stole a key makes tokens with any end, so that services must know of it until none has the key in a cache. */
const KEY_KEPT_BEYOND_SECONDS = 24 * 60 * 60;

/**
 * An epoch leaves this many numbers out. A reader's position in a history that a restored database has lost lies
 * before it, so that the reader is told of the epoch, which revokes more than all that it missed.
 */
const EPOCH_GAP = 1_000_000;

/** Something that ended, in the words of whoever ended it. */
export type NewRevocation =
  | { readonly kind: "session"; readonly sessionId: string; readonly audiences: readonly string[] | "all" }
  | { readonly kind: "consent"; readonly grantId: string; readonly audiences: readonly string[] | "all" }
  | { readonly kind: "account"; readonly accountId: string }
  | { readonly kind: "client"; readonly clientId: string }
  | { readonly kind: "token"; readonly tokenId: string; readonly audiences: readonly string[] | "all" }
  | { readonly kind: "key"; readonly keyId: string }
  | { readonly kind: "epoch" };

export interface Revocations {
  /**
   * Adds records within a transaction, as its last statement: from here to the commit every other appender of the
   * deployment waits. At the commit all nodes are woken.
   */
  append(tx: Db, records: readonly NewRevocation[]): Promise<void>;
  /** The same in a transaction of its own. Resolved: committed. @throws AppError STORE_UNAVAILABLE */
  record(records: readonly NewRevocation[]): Promise<void>;
  /** Deletes what has expired; returns how many. @throws AppError STORE_UNAVAILABLE */
  sweep(): Promise<number>;
}

/** How long an access token of a moment ago may live, and what clocks and issuance under way add. */
export async function readTokenSecondsMax(db: Db, now: number): Promise<number> {
  const { rows } = await guardStore(() =>
    sql<{ seconds: number }>`
      select coalesce(max(seconds), 0)::integer as seconds from access_token_lives
        where counts_until is null or counts_until > ${now}`.execute(db),
  );
  return KEPT_BEYOND_SECONDS + Math.max(ACCESS_TOKEN_SECONDS_MIN, rows[0]?.seconds ?? 0);
}

/** A record as it is written; everything but its number and its end, which the database gives. */
interface Row {
  readonly kind: NewRevocation["kind"];
  readonly value: string;
  readonly issuedBefore: number | null;
  readonly audiences: readonly string[] | null;
}

export interface RevocationsDeps {
  readonly db: Db;
  readonly clock: Clock;
  /** Told of records that were added, also where their transaction comes to nothing later; does not throw. */
  readonly onAppended?: ((records: readonly NewRevocation[]) => void) | undefined;
}

export function createRevocations({ db, clock, onAppended }: RevocationsDeps): Revocations {
  async function append(tx: Db, records: readonly NewRevocation[]): Promise<void> {
    if (records.length === 0) return;
    const now = epochSeconds(clock);
    const rows = records.map((record) => toRow(record, now));
    const epochs = rows.filter(({ kind }) => kind === "epoch").length;
    await sql`
      with given as (
        select entry, place from jsonb_array_elements(${JSON.stringify(rows)}::jsonb) with ordinality as list (entry, place)
      ), life as (
        select coalesce(max(seconds), 0) as seconds from access_token_lives
          where counts_until is null or counts_until > ${now}
      ), feed as (
        update revocation_feed
          set last_id = last_id + ${rows.length + epochs * EPOCH_GAP}::bigint, epoch = epoch + ${epochs}::bigint
          returning last_id, epoch
      ), added as (
        insert into revocations (id, kind, value, issued_before, expires_at, audiences)
          select
            feed.last_id - ${rows.length}::bigint + place,
            entry ->> 'kind',
            case entry ->> 'kind' when 'epoch' then feed.epoch::text else entry ->> 'value' end,
            (entry ->> 'issuedBefore')::bigint,
            ${now}::bigint + greatest(life.seconds, ${ACCESS_TOKEN_SECONDS_MIN}::integer)
              + case entry ->> 'kind' when 'key' then ${KEY_KEPT_BEYOND_SECONDS}::integer else ${KEPT_BEYOND_SECONDS}::integer end,
            case jsonb_typeof(entry -> 'audiences')
              when 'array' then array(select jsonb_array_elements_text(entry -> 'audiences')) end
          from given, life, feed
          returning id
      )
      select pg_notify(${REVOCATIONS_CHANNEL}, max(id)::text) from added`.execute(tx);
    onAppended?.(records);
  }

  return {
    append,
    // One statement is a transaction by itself, and the others wait for no round trip of ours until it is committed.
    record: (records) => guardStore(() => append(db, records)),
    async sweep() {
      const now = epochSeconds(clock);
      await guardStore(() => sql`delete from access_token_lives where counts_until <= ${now}`.execute(db));
      return guardStore(() => deleteInBatches(() => deleteSomeExpired(db, now)));
    },
  };
}

/** Whoever ends everybody's sessions leaves millions at once. */
async function deleteSomeExpired(db: Db, now: number): Promise<bigint> {
  const { numAffectedRows = 0n } = await sql`
    delete from revocations where id in (
      select id from revocations where expires_at <= ${now} limit ${DELETE_BATCH} for update skip locked)`.execute(db);
  return numAffectedRows;
}

/**
 * Names of sessions, consents, tokens and keys are never used again, so that they need no bound. What a client or an
 * account got can only be bounded by time, on the safe side: a token of the seconds after is refused with the others.
 */
function toRow(record: NewRevocation, now: number): Row {
  const { kind } = record;
  const forAll = { kind, audiences: null };
  const bounded = { ...forAll, issuedBefore: now + CLOCK_TOLERANCE_SECONDS };
  switch (record.kind) {
    case "account":
      return { ...bounded, value: record.accountId };
    case "client":
      return { ...bounded, value: record.clientId };
    case "epoch":
      // Its number is known under the lock alone.
      return { ...bounded, value: "" };
    case "key":
      return { ...forAll, value: record.keyId, issuedBefore: null };
    case "session":
      return { kind, value: record.sessionId, issuedBefore: null, audiences: audiencesOf(record) };
    case "consent":
      return { kind, value: record.grantId, issuedBefore: null, audiences: audiencesOf(record) };
    case "token":
      return { kind, value: record.tokenId, issuedBefore: null, audiences: audiencesOf(record) };
    default:
      return record satisfies never;
  }
}

function audiencesOf({ audiences }: { readonly audiences: readonly string[] | "all" }): readonly string[] | null {
  return audiences === "all" ? null : audiences;
}
