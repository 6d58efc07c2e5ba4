import { type Clock, epochSeconds } from "../../core/index.ts";
import type { RevocationLog } from "../revocation-log.ts";
import type { Revocation } from "../revocation-page.ts";
import { type ConnectionOptions, createConnection, type DisconnectReason, type FeedConnection } from "./connection.ts";
import { createPlaces, type Leave } from "./places.ts";
import { heartbeatEvent, revocationEvent } from "./events.ts";
import type { SharedPlaces } from "./shared-places.ts";

export interface FeedLimits {
  /** Over all nodes, which is what the shared places see to; here for those that need not be asked. */
  readonly clientConnectionsMax: number;
  /** Of this node: it protects the process. */
  readonly connectionsMax: number;
  /** Of what was written to one connection and has not left; a reader with more is cut off. */
  readonly bufferBytesMax: number;
}

/** What an operator may want to know of a connection that is over. */
export interface EndedConnection {
  readonly clientId: string;
  readonly reason: DisconnectReason;
  readonly seconds: number;
}

export interface FeedHubDeps {
  readonly log: RevocationLog;
  readonly clock: Clock;
  readonly limits: FeedLimits;
  readonly sharedPlaces: Pick<SharedPlaces, "take" | "settle">;
  readonly onConnectionEnded?: (ended: EndedConnection) => void;
  /** Told, each time that records were handed to the connections, how long ago the first of them was written. */
  readonly onPassedOn?: ((oldestAgeMs: number) => void) | undefined;
}

/** A place among the connections, taken before anything is sent, so that a burst cannot pass the limits. */
export interface Place {
  readonly type: "place";
  /** Begins to send. The place is given back when the connection is over. */
  connect(options: ConnectionOptions): void;
  /** Gives the place back unused. */
  readonly leave: Leave;
}

export type Admission = Place | { readonly type: "client_full" | "full" | "stopping" };

/** All readers of this node. It follows the log and passes on what the log reads. */
export interface FeedHub {
  /** @throws AppError STORE_UNAVAILABLE */
  admit(clientId: string): Promise<Admission>;
  connectionCount(): number;
  /** Ends all connections, and admits none any more: their readers go on at another node, where their places are free. */
  close(): Promise<void>;
}

export function createFeedHub(deps: FeedHubDeps): FeedHub {
  const { log, clock, limits, sharedPlaces, onConnectionEnded, onPassedOn } = deps;
  const connections = new Set<FeedConnection>();
  const places = createPlaces(limits, sharedPlaces);
  let isStopping = false;

  log.follow({
    onRecords(records, oldestAgeMs) {
      passOn(records);
      onPassedOn?.(oldestAgeMs);
      endRevoked();
    },
    onLook() {
      endRevoked();
      void sharedPlaces.settle();
      const now = epochSeconds(clock);
      const heartbeat = heartbeatEvent(log.lastId, clock.nowMs());
      for (const connection of connections) {
        if (connection.reader.expiresAt <= now) connection.end("token_expired");
        connection.checkProgress();
        connection.beat(heartbeat);
      }
    },
    onHistoryLost() {
      for (const connection of connections) connection.end("history_lost");
    },
  });

  /** An event is written out once, however many it goes to. */
  function passOn(records: readonly Revocation[]): void {
    if (connections.size === 0) return;
    const news = records.map((record) => ({ record, event: revocationEvent(record) }));
    for (const connection of connections) connection.offer(news);
  }

  function endRevoked(): void {
    for (const connection of connections) {
      if (log.isRevoked(connection.reader.token)) connection.end("token_revoked");
    }
  }

  function connect(options: ConnectionOptions, leave: Leave): void {
    const { clientId } = options.reader;
    const begunAt = epochSeconds(clock);
    const onEnd = (reason: DisconnectReason): void => {
      connections.delete(connection);
      leave();
      onConnectionEnded?.({ clientId, reason, seconds: epochSeconds(clock) - begunAt });
    };
    const { bufferBytesMax } = limits;
    const connection = createConnection({ log, clock, bufferBytesMax, onEnd }, options);
    connections.add(connection);
    if (isStopping) return connection.end("stopping");
    connection.begin();
  }

  return {
    async admit(clientId) {
      if (isStopping) return { type: "stopping" };
      const leave = await places.take(clientId);
      if (typeof leave === "string") return { type: leave };
      return { type: "place", connect: (options) => connect(options, leave), leave };
    },
    connectionCount: () => connections.size,
    async close() {
      isStopping = true;
      for (const connection of connections) connection.end("stopping");
      await sharedPlaces.settle();
    },
  };
}
