import { sql } from "kysely";
import { type Db, guardStore } from "../storage/index.ts";
import { nodeReportSchema, type NodeReport, type RunningNode } from "./node-report.ts";

/** Who was not heard of for so long runs no more: three beats, and what a store that fails over takes. */
const SILENCE_SECONDS_MAX = 20;

type NodeTables = {
  nodes: {
    id: string;
    started_at: Date;
    last_seen_at: Date;
    /** A `jsonb` comes as an object with one driver and as text with the other. */
    report: unknown;
  };
};

/** The servers that run on this database. All @throws AppError STORE_UNAVAILABLE */
export interface RunningNodes {
  /** Those that were heard of within the last seconds, by the database's clock; the oldest first. */
  list(): Promise<readonly RunningNode[]>;
  /** Notes that a node runs, and what it says of itself. */
  note(id: string, report: NodeReport): Promise<void>;
  forget(id: string): Promise<void>;
  /** Deletes those that died without saying so; returns how many. */
  sweep(): Promise<number>;
  /** How far our clock is ahead of the database's, in milliseconds; off by half of what the answer took. */
  measureClock(nowMs: () => number): Promise<number>;
}

export function createRunningNodes({ db }: { readonly db: Db }): RunningNodes {
  const tables = db.withTables<NodeTables>();
  const silentSince = sql<Date>`clock_timestamp() - make_interval(secs => ${SILENCE_SECONDS_MAX})`;
  return {
    list: () =>
      guardStore(async () => {
        const rows = await tables
          .selectFrom("nodes")
          .selectAll()
          .where("last_seen_at", ">", silentSince)
          .orderBy("started_at")
          .orderBy("id")
          .execute();
        return rows.map(toNode);
      }),
    note: (id, report) =>
      guardStore(async () => {
        await sql`
          insert into nodes (id, started_at, last_seen_at, report)
            values (${id}, clock_timestamp(), clock_timestamp(), ${JSON.stringify(report)}::jsonb)
            on conflict (id) do update set last_seen_at = excluded.last_seen_at, report = excluded.report`.execute(db);
      }),
    forget: (id) =>
      guardStore(async () => {
        await tables.deleteFrom("nodes").where("id", "=", id).execute();
      }),
    sweep: () =>
      guardStore(async () => {
        const { numDeletedRows } = await tables
          .deleteFrom("nodes")
          .where("last_seen_at", "<", silentSince)
          .executeTakeFirst();
        return Number(numDeletedRows);
      }),
    measureClock: (nowMs) =>
      guardStore(async () => {
        const sentAtMs = nowMs();
        const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
        const there = rows[0]?.now.getTime() ?? Number.NaN;
        return (sentAtMs + nowMs()) / 2 - there;
      }),
  };
}

function toNode({ id, started_at, last_seen_at, report }: NodeTables["nodes"]): RunningNode {
  const said = nodeReportSchema.parse(typeof report === "string" ? JSON.parse(report) : report);
  return { id, startedAt: started_at, lastSeenAt: last_seen_at, ...said };
}
