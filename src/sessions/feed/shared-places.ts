import { sql } from "kysely";
import { background, joinCallers, randomToken, sha256 } from "../../core/index.ts";
import { type Db, guardStore } from "../../storage/index.ts";
import type { Leave } from "./places.ts";

/** So young a connection counts although its node has not been heard of: that one may have just started. */
const YOUNG_SECONDS = 20;

/** What the places have to know of nodes. */
export interface FeedNodes {
  readonly ownId: string;
  /** Those that run. @throws AppError STORE_UNAVAILABLE */
  listIds(): Promise<readonly string[]>;
}

/** How many connections each client has, over all nodes. */
export interface SharedPlaces {
  /**
   * Takes a place for a connection of this client; nothing when it has as many as it may have. To give it back neither
   * waits nor fails: what could not be given back is, once `settle` finds the table.
   *
   * @throws AppError STORE_UNAVAILABLE
   */
  take(clientId: string): Promise<Leave | undefined>;
  /** Gives back what could not be given back before. Never fails. */
  settle(): Promise<void>;
  /**
   * Deletes what nodes left that run no more, and brings the table in line with this node's connections, should a
   * failure have kept one from being noted or deleted.
   */
  sweep(): Promise<void>;
}

export interface SharedPlacesDeps {
  readonly db: Db;
  readonly nodes: FeedNodes;
  readonly clientConnectionsMax: number;
}

/**
 * Places in the table. Openings of one client take turns, on all nodes, under a lock on the client. What a node leaves
 * that dies stops to count when the node does.
 */
export function createSharedPlaces({ db, nodes, clientConnectionsMax }: SharedPlacesDeps): SharedPlaces {
  const held = new Map<string, string>();
  const left = new Set<string>();

  const deleteLeft = joinCallers(async () => {
    const ids = [...left];
    if (ids.length === 0) return;
    await sql`delete from feed_connections where id = any(${ids}::text[])`.execute(db);
    for (const id of ids) left.delete(id);
  });

  function leave(id: string): void {
    if (!held.delete(id)) return;
    left.add(id);
    background(deleteLeft(), () => undefined);
  }

  async function insert(id: string, clientId: string, running: readonly string[]): Promise<boolean> {
    return db.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(${lockKeyOf(clientId)}::bigint)`.execute(tx);
      // A statement of its own: it has to see what was committed while we waited for the lock.
      const { rows } = await sql`
        insert into feed_connections (id, node_id, client_id, opened_at)
          select ${id}, ${nodes.ownId}, ${clientId}, clock_timestamp()
            where ${clientConnectionsMax}::integer > (
              select count(*) from feed_connections
                where client_id = ${clientId} and (node_id = any(${running}::text[]) or ${isYoung}))
          returning id`.execute(tx);
      return rows.length > 0;
    });
  }

  return {
    async take(clientId) {
      const running = [nodes.ownId, ...(await nodes.listIds())];
      const id = randomToken(9);
      held.set(id, clientId);
      try {
        if (await guardStore(() => insert(id, clientId, running))) return () => leave(id);
        held.delete(id);
        return undefined;
      } catch (error) {
        // It may be there all the same: only the answer was lost.
        leave(id);
        throw error;
      }
    },
    async settle() {
      if (left.size > 0) await deleteLeft().catch(() => undefined);
    },
    sweep: () =>
      guardStore(async () => {
        const others = (await nodes.listIds()).filter((id) => id !== nodes.ownId);
        const [ids, clientIds] = [[...held.keys()], [...held.values()]];
        await sql`
          delete from feed_connections
            where not ${isYoung} and not node_id = any(${others}::text[]) and not id = any(${ids}::text[])`.execute(db);
        await sql`
          insert into feed_connections (id, node_id, client_id, opened_at)
            select id, ${nodes.ownId}, client_id, clock_timestamp()
              from unnest(${ids}::text[], ${clientIds}::text[]) as held (id, client_id)
            on conflict (id) do nothing`.execute(db);
        await deleteLeft();
      }),
  };
}

const isYoung = sql<boolean>`opened_at > clock_timestamp() - make_interval(secs => ${YOUNG_SECONDS})`;

/** Advisory locks go by a number: 63 bits of the id's digest, apart from the small numbers that others use. */
function lockKeyOf(clientId: string): string {
  return sha256(`feed connections of ${clientId}`).readBigInt64BE().toString();
}
