import { sql } from "kysely";
import { type Db, guardStore } from "../storage/index.ts";
import type { RevocationRecord } from "../verifier/index.ts";

/** A record as it was committed. */
export interface Revocation extends RevocationRecord {
  /** In commit order, the same on every node; gaps are normal. */
  readonly id: number;
  /** The audiences that it concerns; `null`: all. */
  readonly audiences: readonly string[] | null;
}

/** What was read at once. */
export interface RevocationPage {
  readonly records: readonly Revocation[];
  /** The last id that was committed when this was read. */
  readonly lastId: number;
  /** How long before this reading the first of the records was written, by the database's clock alone. */
  readonly oldestAgeMs: number;
}

interface PageRow {
  readonly age_ms: number | null;
  /** Each `bigint` is text with pg and a number with PGlite. */
  readonly last_id: string | number;
  readonly id: string | number | null;
  readonly kind: string;
  readonly value: string;
  readonly issued_before: string | number | null;
  readonly expires_at: string | number;
  readonly audiences: readonly string[] | null;
}

/**
 * The next records and the last id, in one statement and so in one snapshot: numbers are in commit order, so a snapshot
 * that has a number has every smaller one.
 *
 * A Postgres without statistics (new, restored, upgraded) takes the table of one row for one of a thousand, so that it
 * compiles the statement (JIT) for 25 ms and more, and what follows a number for a third of the table, which it then reads
 * as a whole. `limit 1` and the upper end tell it better.
 */
export async function readPage(
  db: Db,
  { after, now, recordsMax }: { readonly after: number; readonly now: number; readonly recordsMax: number },
): Promise<RevocationPage> {
  const { rows } = await guardStore(() =>
    sql<PageRow>`
      select feed.last_id, record.*,
          (extract(epoch from clock_timestamp() - record.recorded_at) * 1000)::double precision as age_ms
        from (select last_id from revocation_feed limit 1) feed left join (
        select recorded_at, id, kind, value, issued_before, expires_at, audiences from revocations
          where id > ${after} and id <= ${Number.MAX_SAFE_INTEGER} and expires_at > ${now} order by id limit ${recordsMax}
      ) record on true order by record.id`.execute(db),
  );
  const [first] = rows;
  const oldestAgeMs = Math.max(0, first?.age_ms ?? 0);
  return { lastId: Number(first?.last_id ?? 0), records: rows.flatMap(toRevocation), oldestAgeMs };
}

function toRevocation(row: PageRow): readonly Revocation[] {
  if (row.id === null) return [];
  const { kind, value, issued_before: issuedBefore, audiences } = row;
  const bound = issuedBefore === null ? {} : { issuedBefore: Number(issuedBefore) };
  return [{ id: Number(row.id), kind, value, ...bound, expiresAt: Number(row.expires_at), audiences }];
}
