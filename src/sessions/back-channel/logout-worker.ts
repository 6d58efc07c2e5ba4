import { claimDueLogouts } from "./claim-due-logouts.ts";
import { type DeliveryDeps, deliverLogout } from "./deliver-logout.ts";
import { createPlaces, PLACES_PER_HOST } from "./places.ts";

/** Delivers what waits in the queue. Every node has one; no two of them have the same row. */
export interface LogoutWorker {
  /** Looks now, and from then on once a second. */
  start(): void;
  /** Looks now: something was put into the queue. */
  wake(): void;
  /** Takes nothing new; what is under way has a second to end, and is left to another try if it does not. */
  close(): Promise<void>;
}

const LOOK_EVERY_MS = 1_000;
const CLOSE_GRACE_MS = 1_000;
/** Longer than a try can take, and what a client waits for when the node that told it died. */
export const LEASE_MS = 20_000;

export function createLogoutWorker(deps: DeliveryDeps): LogoutWorker {
  const stop = new AbortController();
  const places = createPlaces(wake);
  let isClosed = false;
  let shouldLook = false;
  let looking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStoreAway = false;

  /** Whoever wakes us while we look may have come too late for this look. */
  async function lookUntilQuiet(): Promise<void> {
    do {
      shouldLook = false;
      await look();
    } while (shouldLook);
  }

  async function look(): Promise<void> {
    const limit = places.free();
    if (isClosed || limit === 0) return;
    const nowMs = deps.clock.nowMs();
    const claim = { nowMs, leaseMs: LEASE_MS, limit, perHost: PLACES_PER_HOST, exceptions: places.exceptions() };
    for (const logout of await claimDueLogouts(deps.db, claim)) {
      places.hold(logout.host, deliverLogout(deps, logout, stop.signal));
    }
    isStoreAway = false;
  }

  /** Once, not at every look: the store may be away for long. */
  function reportAway(error: unknown): void {
    if (!isStoreAway) deps.report(error);
    isStoreAway = true;
  }

  function wake(): void {
    shouldLook = true;
    if (isClosed || looking !== undefined) return;
    looking = lookUntilQuiet()
      .catch(reportAway)
      .finally(() => {
        looking = undefined;
        // Somebody woke us after the last look, and before we said that we had stopped looking.
        if (shouldLook) wake();
      });
  }

  return {
    wake,
    start() {
      timer ??= setInterval(wake, LOOK_EVERY_MS).unref();
      wake();
    },
    async close() {
      isClosed = true;
      clearInterval(timer);
      await looking;
      const grace = setTimeout(() => stop.abort(), CLOSE_GRACE_MS);
      await places.empty();
      clearTimeout(grace);
    },
  };
}
