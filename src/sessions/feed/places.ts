import type { FeedLimits } from "./hub.ts";

/** Gives a place back. */
export type Leave = () => void;

/** How many connections there are, of each client and in all. */
export interface Places {
  /** Takes a place for a connection of this client; says why not when there is none. */
  take(clientId: string): Leave | "client_full" | "full";
}

export function createPlaces(limits: Pick<FeedLimits, "clientConnectionsMax" | "connectionsMax">): Places {
  const takenByClient = new Map<string, number>();
  let taken = 0;

  function change(clientId: string, by: 1 | -1): void {
    taken += by;
    const takenHere = (takenByClient.get(clientId) ?? 0) + by;
    if (takenHere === 0) takenByClient.delete(clientId);
    else takenByClient.set(clientId, takenHere);
  }

  return {
    take(clientId) {
      if ((takenByClient.get(clientId) ?? 0) >= limits.clientConnectionsMax) return "client_full";
      if (taken >= limits.connectionsMax) return "full";
      change(clientId, 1);
      return () => change(clientId, -1);
    },
  };
}
