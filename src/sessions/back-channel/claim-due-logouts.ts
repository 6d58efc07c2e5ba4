import { sql } from "kysely";
import type { Db } from "../../storage/index.ts";

/** One app that is to be told of one session, held by this node until its lease runs out. */
export interface ClaimedLogout {
  readonly id: string;
  readonly clientId: string;
  readonly accountId: string;
  readonly sessionId: string;
  readonly host: string;
  /** How many tries there were, this one included. The row is ours for as long as it says the same. */
  readonly tries: number;
  readonly expiresAtMs: number;
}

export interface ClaimOptions {
  readonly nowMs: number;
  /** For how long no other node takes what this one took. */
  readonly leaseMs: number;
  readonly limit: number;
  /** How many to take for one host at the most; `exceptions` names the hosts for which it is another number. */
  readonly perHost: number;
  readonly exceptions: ReadonlyMap<string, number>;
}

interface ClaimedRow {
  readonly id: string | number;
  readonly client_id: string;
  readonly account_id: string;
  readonly session_id: string;
  readonly host: string;
  readonly tries: number;
  readonly expires_at: Date;
}

/**
 * Takes what is due, so that no other node does: from every host a few, however many wait for one of them.
 *
 * One statement. It goes through the hosts by skipping from one to the next in the index, and reads of each no more
 * than it may take, so that a backlog of one app costs nothing. Hosts come in random order: where places are short,
 * none is always the last.
 */
export async function claimDueLogouts(db: Db, options: ClaimOptions): Promise<readonly ClaimedLogout[]> {
  const now = new Date(options.nowMs);
  const leaseEndsAt = new Date(options.nowMs + options.leaseMs);
  const exceptions = JSON.stringify(Object.fromEntries(options.exceptions));
  const { rows } = await sql<ClaimedRow>`
    with recursive hosts as (
      (select host from back_channel_logouts order by host limit 1)
      union all
      select (select waiting.host from back_channel_logouts as waiting
               where waiting.host > hosts.host order by waiting.host limit 1)
        from hosts where hosts.host is not null
    ), shuffled as materialized (
      select host, coalesce((${exceptions}::jsonb ->> host)::integer, ${options.perHost}::integer) as places
        from hosts where host is not null order by random()
    ), taken as (
      select due.id from shuffled cross join lateral (
        select waiting.id from back_channel_logouts as waiting
         where waiting.host = shuffled.host
           and waiting.due_at <= ${now}::timestamptz and waiting.expires_at > ${now}::timestamptz
         order by waiting.due_at limit shuffled.places for update skip locked
      ) as due limit ${options.limit}::integer
    )
    update back_channel_logouts as held set due_at = ${leaseEndsAt}::timestamptz, tries = held.tries + 1
      from taken where held.id = taken.id
    returning held.id, held.client_id, held.account_id, held.session_id, held.host, held.tries, held.expires_at`.execute(
    db,
  );
  return rows.map((row) => ({
    id: String(row.id),
    clientId: row.client_id,
    accountId: row.account_id,
    sessionId: row.session_id,
    host: row.host,
    tries: row.tries,
    expiresAtMs: row.expires_at.getTime(),
  }));
}
