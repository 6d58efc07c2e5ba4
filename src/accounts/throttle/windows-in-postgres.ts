import { sql } from "kysely";
import type { Clock } from "../../core/index.ts";
import { type Db, DELETE_BATCH, deleteInBatches } from "../../storage/index.ts";
import type { Windows } from "./windows.ts";

/** Beyond every limit; kept in the column's range. */
const POINTS_MAX = 1_000_000;

/** Windows for all processes together, that begin with their first attempt: where there is no Redis, or it may forget nothing. */
export function createWindowsInPostgres({ db, clock }: { readonly db: Db; readonly clock: Clock }): Windows {
  return {
    async count({ name, seconds }, key) {
      const nowMs = clock.nowMs();
      const id = `${name}:${key}`;
      const { rows } = await sql<{ points: number; expire: string | number }>`
        insert into account_throttle as counted (key, points, expire) values (${id}, 1, ${nowMs + seconds * 1_000})
        on conflict (key) do update set
          points = case when counted.expire <= ${nowMs} then 1
                        else least(counted.points, ${sql.raw(String(POINTS_MAX))}) + 1 end,
          expire = case when counted.expire <= ${nowMs} then excluded.expire else counted.expire end
        returning points, expire`.execute(db);
      const [row] = rows;
      if (row === undefined) throw new Error("an attempt was not counted");
      return {
        attempts: row.points,
        leftMs: Number(row.expire) - nowMs,
        undo: async () => {
          await sql`update account_throttle set points = points - 1
            where key = ${id} and expire = ${row.expire} and points > 0`.execute(db);
        },
      };
    },
    sweep: () => deleteInBatches(() => deleteSome(db, clock.nowMs())),
  };
}

async function deleteSome(db: Db, nowMs: number): Promise<bigint> {
  const { numAffectedRows = 0n } = await sql`
    delete from account_throttle
      where key in (select key from account_throttle where expire <= ${nowMs} limit ${sql.raw(String(DELETE_BATCH))})
        and expire <= ${nowMs}`.execute(db);
  return numAffectedRows;
}
