import { sql } from "kysely";
import type { KeySeals } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import { readWaiting } from "./backlog.ts";
import { type ChainKey, listKeyIds, listTrustedKeys } from "./chain-key.ts";
import { type ChainBreak, checkLinks, missing, type Proved, type StoredLink } from "./check-links.ts";
import {
  type ExportedCheckpoint,
  openExported,
  openTrusted,
  type SignedStatement,
  type Statement,
} from "./checkpoints.ts";
import { nameOf, readSealedOf, readWindow } from "./event-window.ts";
import { CHAINED_EVENT, type ChainedEvent, microseconds } from "./digests.ts";

export interface Verification {
  readonly verdict: "intact" | "broken";
  /** The first that is wrong; absent where nothing is. */
  readonly break: ChainBreak | undefined;
  /** The position behind which the chain is kept, and since when events are. */
  readonly begins: { readonly position: string; readonly eventsSince: string | undefined };
  /** How far it is proved. */
  readonly proved: { readonly position: string; readonly hash: string };
  /** How many events were looked at, and how many of them are without what identified a person. */
  readonly events: number;
  readonly erased: number;
  /** How many were committed and had no place in the chain yet. */
  readonly waiting: number;
  /** What came with the question. `older`: what it was signed for is not kept any more. */
  readonly checkpoint: "matches" | "older" | undefined;
}

const BATCH = 500n;
/** The least that the database can count. */
const NUMBER_MIN = -(2n ** 63n);
const HOUR_MICROSECONDS = 3_600_000_000n;
/** Retention may take away what we are looking at. */
const STARTS_MAX = 3;

interface Deps {
  readonly db: Db;
  readonly seals: KeySeals;
}

/**
 * Goes through the chain from its oldest kept place to its head, and then through the events for those that were never
 * sealed. A batch at a time: memory does not grow with the log, and nobody waits for it.
 *
 * @param given a checkpoint that was exported earlier, to be found in this chain.
 */
export async function verifyChain(deps: Deps, given?: ExportedCheckpoint): Promise<Verification> {
  for (let start = 1; ; start += 1) {
    const keys = await listTrustedKeys(deps.db, deps.seals);
    const ends = await readEnds(deps.db);
    const known = await listKeyIds(deps.db);
    const verification = await walk(deps.db, { keys, known, ends, given });
    if (verification.break === undefined || start === STARTS_MAX) return verification;
    const { anchor } = await readEnds(deps.db);
    if (anchor?.statement === ends.anchor?.statement) return verification;
  }
}

interface Ends {
  readonly position: string;
  readonly hash: Uint8Array;
  readonly settledId: string;
  readonly anchor: SignedStatement | undefined;
  readonly newest: SignedStatement | undefined;
}

/** In one statement, so that they belong together. */
async function readEnds(db: Db): Promise<Ends> {
  const last = (kind: Statement["kind"], column: "statement" | "signature") => sql`(
    select ${sql.ref(column)} from audit_checkpoints where kind = ${kind} order by position desc limit 1)`;
  const { rows } = await sql<{
    position: string;
    hash: Uint8Array;
    settledId: string;
    anchor: string | null;
    anchorSignature: Uint8Array | null;
    newest: string | null;
    newestSignature: Uint8Array | null;
  }>`
    select position::text as position, hash, settled_id::text as "settledId",
      ${last("anchor", "statement")} as anchor, ${last("anchor", "signature")} as "anchorSignature",
      ${last("checkpoint", "statement")} as newest, ${last("checkpoint", "signature")} as "newestSignature"
    from audit_chain`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error("the audit log has lost the head of its chain");
  const { position, hash, settledId } = row;
  const together = (statement: string | null, signature: Uint8Array | null): SignedStatement | undefined =>
    statement === null || signature === null ? undefined : { statement, signature };
  const anchor = together(row.anchor, row.anchorSignature);
  return { position, hash, settledId, anchor, newest: together(row.newest, row.newestSignature) };
}

interface Walk {
  readonly keys: ReadonlyMap<string, ChainKey>;
  /** With those that were lost: what was exported under one proves what it did, since it was kept elsewhere. */
  readonly known: ReadonlySet<string>;
  readonly ends: Ends;
  readonly given: ExportedCheckpoint | undefined;
}

/** What is known of the chain before the first of its places is looked at. */
interface Standing {
  readonly anchor: Statement | undefined;
  readonly newest: Statement | undefined;
  readonly given: Statement | undefined;
}

async function walk(db: Db, { keys, known, ends, given }: Walk): Promise<Verification> {
  const standing = openStanding({ keys, known, ends, given });
  const anchor = "kind" in standing ? undefined : standing.anchor;
  let proved: Proved = {
    position: BigInt(anchor?.position ?? 0),
    hash: Buffer.from(anchor?.hash ?? "", "hex"),
  };
  let [events, erased] = [0, 0];
  const begins = { position: anchor?.position ?? "0", eventsSince: anchor?.eventsSince };
  const conclude = async (found: ChainBreak | undefined): Promise<Verification> => ({
    verdict: found === undefined ? "intact" : "broken",
    break: found,
    begins,
    proved: { position: String(proved.position), hash: Buffer.from(proved.hash).toString("hex") },
    events,
    erased,
    waiting: (await readWaiting(db)).waiting,
    checkpoint: "kind" in standing ? undefined : standingOf(standing),
  });
  if ("kind" in standing) return conclude(standing);
  const eventsSince = anchor?.eventsSince === undefined ? undefined : BigInt(Date.parse(anchor.eventsSince)) * 1_000n;
  const head = BigInt(ends.position);
  while (proved.position < head) {
    const upTo = proved.position + BATCH < head ? proved.position + BATCH : head;
    const links = await readLinks(db, { after: proved.position, upTo });
    if (links.length === 0) break;
    const signed = await readSigned(db, keys, {
      standing,
      after: proved.position,
      upTo: links.at(-1)?.position ?? "0",
    });
    if ("kind" in signed) return conclude(signed);
    const checked = checkLinks(proved, links, { eventsSince, signed: signed.hashes });
    ({ proved } = checked);
    events += checked.events;
    erased += checked.erased.length;
    const found = checked.found ?? (await findUndeleted(db, checked.erased, eventsSince));
    if (found !== undefined) return conclude(found);
  }
  return conclude(checkHead(proved, ends, standing) ?? (await findInserted(db, ends.settledId)));
}

function standingOf({ given, anchor }: Standing): Verification["checkpoint"] {
  if (given === undefined) return undefined;
  return BigInt(given.position) < BigInt(anchor?.position ?? 0) ? "older" : "matches";
}

/** The signatures that all else hangs on. */
function openStanding({ keys, known, ends, given }: Walk): Standing | ChainBreak {
  const { anchor, newest, position } = ends;
  const opened = {
    anchor: anchor && openTrusted(keys, anchor),
    newest: newest && openTrusted(keys, newest),
    given: given && openExported(given),
  };
  if (anchor !== undefined && opened.anchor?.kind !== "anchor") {
    return { kind: "forged", meaning: "What says where the chain begins was not signed with our key." };
  }
  if (newest !== undefined && opened.newest?.kind !== "checkpoint") {
    return { kind: "forged", meaning: "The newest checkpoint was not signed with our key." };
  }
  if (given !== undefined && (opened.given?.kind !== "checkpoint" || !known.has(opened.given.key))) {
    return { kind: "forged", meaning: "The checkpoint that was given was not signed with our key." };
  }
  for (const [checkpoint, name] of [
    [opened.newest, "newest signed"],
    [opened.given, "given"],
  ] as const) {
    if (checkpoint === undefined || BigInt(checkpoint.position) <= BigInt(position)) continue;
    const meaning = `The chain ends at position ${position}, and the ${name} checkpoint was at ${checkpoint.position}.`;
    return { kind: "cut_off", position, meaning };
  }
  const { given: said, anchor: start } = opened;
  if (said !== undefined && said.position === start?.position && said.hash !== start.hash) {
    const meaning = "Where the chain begins, it is not what the given checkpoint was signed for.";
    return { kind: "rewritten", position: said.position, meaning };
  }
  return opened;
}

interface Range {
  readonly after: bigint;
  readonly upTo: bigint | string;
}

/**
 * Positions have no gaps, so that a range of them is a batch. Two statements, each by an index: a join of both tables may
 * be planned by going through all of the one.
 */
async function readLinks(db: Db, { after, upTo }: Range): Promise<readonly StoredLink[]> {
  const { rows: places } = await sql<Omit<StoredLink, "event">>`
    select seal.position::text as position, ${microseconds("seal.sealed_at")} as "sealedAt",
      seal.event_id::text as "eventId", ${microseconds("seal.occurred_at")} as "occurredAt",
      seal.personal_digest as "personalDigest", seal.digest, seal.hash
    from audit_seals seal
    where seal.position > ${String(after)}::bigint and seal.position <= ${String(upTo)}::bigint
    order by seal.position`.execute(db);
  const ids = places.map(({ eventId }) => eventId);
  const { rows: events } = await sql<ChainedEvent>`
    select ${CHAINED_EVENT} from audit_events event where event.id = any(${ids}::bigint[])`.execute(db);
  const found = new Map(events.map((event) => [nameOf(event), event]));
  return places.map(({ position, sealedAt, eventId, occurredAt, personalDigest, digest, hash }) => {
    const event = found.get(nameOf({ id: eventId, occurredAt }));
    return { position, sealedAt, eventId, occurredAt, personalDigest, digest, hash, event };
  });
}

/** What was signed for positions of a range. */
async function readSigned(
  db: Db,
  keys: ReadonlyMap<string, ChainKey>,
  { standing, after, upTo }: Range & { readonly standing: Standing },
): Promise<{ readonly hashes: ReadonlyMap<string, string> } | ChainBreak> {
  const { rows } = await sql<SignedStatement & { position: string }>`
    select statement, signature, position::text as position from audit_checkpoints
      where kind = 'checkpoint' and position > ${String(after)}::bigint and position <= ${String(upTo)}::bigint
      order by audit_checkpoints.position`.execute(db);
  const hashes = new Map<string, string>();
  for (const row of rows) {
    const statement = openTrusted(keys, row);
    if (statement?.kind !== "checkpoint" || statement.position !== row.position) {
      const meaning = `The checkpoint at position ${row.position} was not signed with our key.`;
      return { kind: "forged", position: row.position, meaning };
    }
    hashes.set(statement.position, statement.hash);
  }
  for (const each of [standing.newest, standing.given]) if (each !== undefined) hashes.set(each.position, each.hash);
  return { hashes };
}

/** Every pass of the sealer signs what it has sealed, so that nothing at the head is without a signature. */
function checkHead({ position, hash }: Proved, ends: Ends, { anchor, newest }: Standing): ChainBreak | undefined {
  const end = BigInt(ends.position);
  if (position < end) return missing(position + 1n, end);
  if (!Buffer.from(hash).equals(ends.hash)) {
    return { kind: "rewritten", position: ends.position, meaning: "The head of the chain is not where it leads to." };
  }
  const signedUpTo = BigInt(newest?.position ?? anchor?.position ?? 0);
  if (signedUpTo >= end || BigInt(anchor?.position ?? 0) === end) return undefined;
  const meaning = `What follows on position ${signedUpTo} was never signed.`;
  return { kind: "unsigned", position: String(signedUpTo + 1n), meaning };
}

/** An event that was erased although nobody deleted its account. */
async function findUndeleted(
  db: Db,
  erased: readonly ChainedEvent[],
  eventsSince: bigint | undefined,
): Promise<ChainBreak | undefined> {
  if (erased.length === 0) return undefined;
  const ids = [...new Set(erased.flatMap(({ accountId }) => accountId ?? []))];
  const { rows } = await sql<{ id: string }>`
    select distinct account_id as id from audit_events
      where account_id = any(${ids}::text[]) and type = 'account_deleted'`.execute(db);
  const deleted = new Set<string | null>(rows.map(({ id }) => id));
  // What came late about an account may be kept for longer than what tells of its deletion.
  const isNearTheBeginning = ({ occurredAt }: ChainedEvent): boolean =>
    eventsSince !== undefined && BigInt(occurredAt) - eventsSince < HOUR_MICROSECONDS;
  const found = erased.find((event) => !deleted.has(event.accountId) && !isNearTheBeginning(event));
  if (found === undefined) return undefined;
  const meaning = `Address and device were taken off the event ${found.id}, and no account was deleted that it is of.`;
  return { kind: "erased", eventId: found.id, meaning };
}

/** An event that lies among those that are sealed, and is not. */
async function findInserted(db: Db, settledId: string): Promise<ChainBreak | undefined> {
  const last = BigInt(settledId);
  // Numbers begin with 1, for whoever does not make them up.
  for (let after = NUMBER_MIN; ;) {
    const window = await readWindow(db, after, last);
    const sealed = await readSealedOf(db, window);
    const inserted = window.events.find((event) => !sealed.has(nameOf(event)));
    if (inserted !== undefined) {
      const meaning = `The event ${inserted.id} was never sealed, and lies among those that were.`;
      return { kind: "inserted", eventId: inserted.id, meaning };
    }
    if (window.upTo >= last) return undefined;
    after = window.upTo;
  }
}
