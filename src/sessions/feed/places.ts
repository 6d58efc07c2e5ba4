import type { FeedLimits } from "./hub.ts";
import type { SharedPlaces } from "./shared-places.ts";

/** Gives a place back. */
export type Leave = () => void;

/** How many connections there are: of each client over all nodes, and in all at this one. */
export interface Places {
  /**
   * Takes a place for a connection of this client; says why not when there is none.
   *
   * @throws AppError STORE_UNAVAILABLE
   */
  take(clientId: string): Promise<Leave | "client_full" | "full">;
}

export function createPlaces(
  limits: Pick<FeedLimits, "clientConnectionsMax" | "connectionsMax">,
  sharedPlaces: Pick<SharedPlaces, "take">,
): Places {
  const takenByClient = new Map<string, number>();
  let taken = 0;

  function change(clientId: string, by: 1 | -1): void {
    taken += by;
    const takenHere = (takenByClient.get(clientId) ?? 0) + by;
    if (takenHere === 0) takenByClient.delete(clientId);
    else takenByClient.set(clientId, takenHere);
  }

  return {
    // Here first: it costs nothing, and bounds how many ask the table at once.
    async take(clientId) {
      if ((takenByClient.get(clientId) ?? 0) >= limits.clientConnectionsMax) return "client_full";
      if (taken >= limits.connectionsMax) return "full";
      change(clientId, 1);
      let leaveShared: Leave | undefined;
      try {
        leaveShared = await sharedPlaces.take(clientId);
      } finally {
        if (leaveShared === undefined) change(clientId, -1);
      }
      if (leaveShared === undefined) return "client_full";
      return () => {
        change(clientId, -1);
        leaveShared();
      };
    },
  };
}
