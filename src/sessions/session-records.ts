import { type Generated, type Kysely, type Selectable, sql } from "kysely";
import { type Db, DELETE_BATCH, deleteInBatches } from "../storage/index.ts";
import type { EndReason, EndScope } from "./ending.ts";

type SessionTables = {
  sessions: {
    id: string;
    account_id: string;
    created_at: Date;
    expires_at: Date;
    client_id: string | null;
    address: string | null;
    device: string | null;
    acr: string | null;
    amr: Generated<string[]>;
    ended_at: Date | null;
    end_reason: EndReason | null;
    end_scope: EndScope | null;
    ended_grants: Generated<string[]>;
    /** How often something of it ended, and up to which of these the protocol store was cleared. */
    endings: Generated<number>;
    cleared: Generated<number>;
    /** The beat of the deployment when it was cleared last. A `bigint` is text with pg and a number with PGlite. */
    cleared_beat: Generated<string | number>;
  };
};

export type SessionRow = Selectable<SessionTables["sessions"]>;
export type SessionDb = Kysely<SessionTables>;

/** Rows that one statement reads or changes at the most. */
export const ROWS_MAX = 200;

export function withSessionTables(db: Db): SessionDb {
  return db.withTables<SessionTables>();
}

export interface NewSessionRow {
  readonly id: string;
  readonly accountId: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly clientId: string | undefined;
  readonly address: string | undefined;
  readonly device: string | undefined;
  readonly acr: string | undefined;
  readonly amr: readonly string[];
}

/** `false` when the row was there already. */
export async function insertRow(db: SessionDb, row: NewSessionRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto("sessions")
    .values({
      id: row.id,
      account_id: row.accountId,
      created_at: row.createdAt,
      expires_at: row.expiresAt,
      client_id: row.clientId ?? null,
      address: row.address ?? null,
      device: row.device ?? null,
      acr: row.acr ?? null,
      amr: [...row.amr],
      ended_at: null,
      end_reason: null,
      end_scope: null,
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows > 0n;
}

export async function findRow(db: SessionDb, id: string): Promise<SessionRow | undefined> {
  return db.selectFrom("sessions").selectAll().where("id", "=", id).executeTakeFirst();
}

/** `open`: sessions that nobody has ended. `present`: also those that ended while grants of them go on. */
export type Presence = "open" | "present";

/** An account's rows in the order of ids, a page at a time, beginning after the id `after`. */
export async function listRows(
  db: SessionDb,
  accountId: string,
  { which, now, after = "" }: { readonly which: Presence; readonly now: Date; readonly after?: string },
): Promise<readonly SessionRow[]> {
  return db
    .selectFrom("sessions")
    .selectAll()
    .where("account_id", "=", accountId)
    .where("expires_at", ">", now)
    .where("id", ">", after)
    .$if(which === "open", (query) => query.where("end_scope", "is", null))
    .$if(which === "present", (query) => query.where(sql<boolean>`end_scope is distinct from 'whole'`))
    .orderBy("id")
    .limit(ROWS_MAX)
    .execute();
}

/** Everybody's, for ending everything. */
export async function listIdsAfter(db: SessionDb, after: string, now: Date): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("sessions")
    .select("id")
    .where("id", ">", after)
    .where("expires_at", ">", now)
    .where(sql<boolean>`end_scope is distinct from 'whole'`)
    .orderBy("id")
    .limit(ROWS_MAX)
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Locks rows until the transaction ends, in the order of code units whatever the database sorts by, so that two endings
 * never wait for each other.
 */
export async function lockRows(tx: SessionDb, ids: readonly string[]): Promise<readonly SessionRow[]> {
  if (ids.length === 0) return [];
  return tx
    .selectFrom("sessions")
    .selectAll()
    .where("id", "in", [...ids])
    .orderBy(sql`id collate "C"`)
    .forUpdate()
    .execute();
}

/** Ends sessions, or widens how much of them ended; when and why stays what it was first. */
export async function markEnded(
  tx: SessionDb,
  ids: readonly string[],
  end: { readonly at: Date; readonly reason: EndReason; readonly scope: EndScope },
): Promise<readonly SessionRow[]> {
  if (ids.length === 0) return [];
  return tx
    .updateTable("sessions")
    .set((row) => ({
      ended_at: sql<Date>`coalesce(ended_at, ${end.at})`,
      end_reason: sql<EndReason>`coalesce(end_reason, ${end.reason})`,
      end_scope: end.scope,
      endings: row("endings", "+", 1),
    }))
    .where("id", "in", [...ids])
    .returningAll()
    .execute();
}

/** Notes that a grant ended; `undefined` when that was noted before, or there is no such row. */
export async function noteEndedGrant(tx: SessionDb, id: string, grantId: string): Promise<SessionRow | undefined> {
  return tx
    .updateTable("sessions")
    .set((row) => ({ ended_grants: sql`array_append(ended_grants, ${grantId})`, endings: row("endings", "+", 1) }))
    .where("id", "=", id)
    .where(sql<boolean>`not (${grantId} = any(ended_grants))`)
    .returningAll()
    .executeTakeFirst();
}

export async function listUncleared(db: SessionDb, after: string): Promise<readonly SessionRow[]> {
  return db
    .selectFrom("sessions")
    .selectAll()
    .where(sql<boolean>`cleared < endings`)
    .where("id", ">", after)
    .orderBy("id")
    .limit(ROWS_MAX)
    .execute();
}

/**
 * Notes that the protocol store was cleared of all that had ended when the row was read. Of a sign-in that is empty now,
 * something may come back from a copy of the store, until `emptyUntil` where that is sooner than the row's own end.
 */
export async function markCleared(
  db: SessionDb,
  row: Pick<SessionRow, "id" | "endings">,
  empty: { readonly isEmpty: boolean; readonly until: Date | undefined },
): Promise<void> {
  await db
    .updateTable("sessions")
    .set({
      cleared: sql<number>`greatest(cleared, ${row.endings}::integer)`,
      cleared_beat: sql<string>`(select beat from revocation_feed)`,
      ...(empty.isEmpty ? { end_scope: sql<EndScope | null>`case when end_scope is not null then 'whole' end` } : {}),
      ...(empty.until === undefined ? {} : { expires_at: sql<Date>`least(expires_at, ${empty.until}::timestamptz)` }),
    })
    .where("id", "=", row.id)
    .execute();
}

/** Where a reading of rows in the order of their last clearing goes on. */
export interface ClearingPosition {
  readonly beat: number;
  readonly id: string;
}

/**
 * Marks what ended, and may still be in a copy of the store, for clearing once more: a page of it, beginning after a
 * position. Returns the page's last position; `undefined` when there was nothing more.
 */
export async function markForClearing(
  db: SessionDb,
  after: ClearingPosition,
  now: Date,
): Promise<ClearingPosition | undefined> {
  const page = await db
    .selectFrom("sessions")
    .select(["id", "cleared_beat"])
    .where(sql<boolean>`(cleared_beat, id) > (${after.beat}::bigint, ${after.id})`)
    .where("endings", ">", 0)
    .where("expires_at", ">", now)
    .orderBy("cleared_beat")
    .orderBy("id")
    .limit(ROWS_MAX)
    .execute();
  const last = page.at(-1);
  if (last === undefined) return undefined;
  await db
    .updateTable("sessions")
    .set((row) => ({ endings: row("endings", "+", 1) }))
    .where(
      "id",
      "in",
      page.map(({ id }) => id),
    )
    .execute();
  return { beat: Number(last.cleared_beat), id: last.id };
}

/**
 * Deletes an account's rows, unless something of it goes on or waits to be cleared: the row is all that says so. The
 * caller keeps rows from being added meanwhile.
 */
export async function deleteQuietRows(tx: SessionDb, accountId: string, now: Date): Promise<boolean> {
  const busy = await tx
    .selectFrom("sessions")
    .select("id")
    .where("account_id", "=", accountId)
    .where(sql<boolean>`(cleared < endings or (expires_at > ${now} and end_scope is distinct from 'whole'))`)
    .limit(1)
    .executeTakeFirst();
  if (busy !== undefined) return false;
  await tx.deleteFrom("sessions").where("account_id", "=", accountId).execute();
  return true;
}

/** Deletes rows that nothing can hang on any more; returns how many. */
export async function deleteExpired(db: SessionDb, now: Date): Promise<number> {
  return deleteInBatches(async () => {
    const some = db.selectFrom("sessions").select("id").where("expires_at", "<=", now).limit(DELETE_BATCH);
    const { numDeletedRows } = await db
      .deleteFrom("sessions")
      .where("id", "in", some.forUpdate().skipLocked())
      .executeTakeFirst();
    return numDeletedRows;
  });
}
