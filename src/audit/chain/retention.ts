import { sql } from "kysely";
import type { Db } from "../../storage/index.ts";
import { listTrustedKeys, obtainChainKey } from "./chain-key.ts";
import { lockChain } from "./chain-lock.ts";
import { insertStatement, openTrusted, type SignedStatement, signStatement, type Statement } from "./checkpoints.ts";
import { inShortLock, keptSince, listMonths, type Month, PARTED, partitionOf, startOf } from "./partitions.ts";
import type { SealDeps } from "./seal-pass.ts";

export interface RetentionDeps extends SealDeps {
  /** Without deadlines: it looks through a month. */
  readonly patientDb: Db;
  readonly retentionDays: number;
}

/**
 * Drops the months that are older than is kept, events and seals, and signs where the chain begins from then on. Seals
 * stay for as long as an event is kept that they cover: one that came by a clock that was ahead.
 */
export async function dropOldMonths(deps: RetentionDeps): Promise<void> {
  const { db, patientDb, clock, retentionDays } = deps;
  const since = keptSince(clock.nowMs(), retentionDays);
  const isOld = (month: Month): boolean => startOf(month) < since;
  const events = (await listMonths(db, PARTED.events)).filter(isOld);
  const seals: Month[] = [];
  for (const month of (await listMonths(db, PARTED.seals)).filter(isOld)) {
    if (await isNeeded(patientDb, month, since)) break;
    seals.push(month);
  }
  if (events.length === 0 && seals.length === 0) return;
  await inShortLock(db, async (tx) => {
    await lockChain(tx);
    // Another node may have been here since.
    const there = { events: await listMonths(tx, PARTED.events), seals: await listMonths(tx, PARTED.seals) };
    const left = seals.filter((month) => there.seals.includes(month));
    const names = [
      ...left.map((month) => partitionOf(PARTED.seals, month)),
      ...events.filter((month) => there.events.includes(month)).map((month) => partitionOf(PARTED.events, month)),
    ];
    if (names.length === 0) return;
    await moveAnchor(deps, tx, { seals: left, since });
    await sql`drop table ${sql.join(names.map((name) => sql.table(name)))}`.execute(tx);
  });
}

/** Whether seals of a month cover an event that is kept. */
async function isNeeded(patientDb: Db, month: Month, since: Date): Promise<boolean> {
  const { rows } = await sql<{ isNeeded: boolean }>`
    select exists (
      select from ${sql.table(partitionOf(PARTED.seals, month))} where occurred_at >= ${since}
    ) as "isNeeded"`.execute(patientDb);
  return rows[0]?.isNeeded === true;
}

interface Dropping {
  readonly seals: readonly Month[];
  readonly since: Date;
}

async function moveAnchor(deps: RetentionDeps, tx: Db, { seals, since }: Dropping): Promise<void> {
  const before = await readAnchor(deps, tx);
  const last = await readLastOf(tx, seals);
  const key = await obtainChainKey(tx, deps);
  const signedAt = new Date(deps.clock.nowMs()).toISOString();
  const about = {
    kind: "anchor",
    issuer: deps.issuer,
    position: last?.position ?? before?.position ?? "0",
    hash: last?.hash ?? before?.hash ?? "",
    sealedAt: last?.sealedAt ?? before?.sealedAt ?? signedAt,
    signedAt,
    eventsSince: laterOf(since.toISOString(), before?.eventsSince),
  } as const;
  await sql`delete from audit_checkpoints where kind = 'anchor' or position <= ${about.position}::bigint`.execute(tx);
  await insertStatement(tx, signStatement(key, about), about);
}

/** What was dropped does not come back because somebody wants to keep more from now on. */
function laterOf(one: string, other: string | undefined): string {
  return other !== undefined && Date.parse(other) > Date.parse(one) ? other : one;
}

/** What was not signed by us is not handed on with our signature. */
async function readAnchor({ seals }: RetentionDeps, tx: Db): Promise<Statement | undefined> {
  const { rows } = await sql<SignedStatement>`
    select statement, signature from audit_checkpoints where kind = 'anchor'
      order by audit_checkpoints.position desc limit 1`.execute(tx);
  const [row] = rows;
  if (row === undefined) return undefined;
  const anchor = openTrusted(await listTrustedKeys(tx, seals), row);
  if (anchor?.kind !== "anchor") throw new Error("what says where the audit log begins was not signed with our key");
  return anchor;
}

/** The last place of the chain in these months; `undefined` where there is none. */
async function readLastOf(
  tx: Db,
  months: readonly Month[],
): Promise<Pick<Statement, "position" | "hash" | "sealedAt"> | undefined> {
  for (const month of months.toReversed()) {
    const { rows } = await sql<{ position: string; hash: string; sealed_at: Date }>`
      select seal.position::text as position, encode(seal.hash, 'hex') as hash, seal.sealed_at
        from ${sql.table(partitionOf(PARTED.seals, month))} seal order by seal.position desc limit 1`.execute(tx);
    const [row] = rows;
    if (row !== undefined) {
      return { position: row.position, hash: row.hash, sealedAt: row.sealed_at.toISOString() };
    }
  }
  return undefined;
}
