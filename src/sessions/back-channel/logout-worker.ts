import { createLookout, type Lookout } from "../../core/index.ts";
import { claimDueLogouts } from "./claim-due-logouts.ts";
import { type DeliveryDeps, deliverLogout } from "./deliver-logout.ts";
import { createPlaces, PLACES_PER_HOST } from "./places.ts";

/** Delivers what waits in the queue. Every node has one; no two of them have the same row. */
export interface LogoutWorker extends Lookout {
  /** Takes nothing new; what is under way has a second to end, and is left to another try if it does not. */
  close(): Promise<void>;
}

const LOOK_EVERY_MS = 1_000;
const CLOSE_GRACE_MS = 1_000;
/** Longer than a try can take, and what a client waits for when the node that told it died. */
export const LEASE_MS = 20_000;

export function createLogoutWorker(deps: DeliveryDeps): LogoutWorker {
  const stop = new AbortController();
  const lookout = createLookout({ look, everyMs: LOOK_EVERY_MS, reportFailure: deps.report });
  const places = createPlaces(() => lookout.wake());

  async function look(): Promise<void> {
    const limit = places.free();
    if (limit === 0) return;
    const nowMs = deps.clock.nowMs();
    const claim = { nowMs, leaseMs: LEASE_MS, limit, perHost: PLACES_PER_HOST, exceptions: places.exceptions() };
    for (const logout of await claimDueLogouts(deps.db, claim)) {
      places.hold(logout.host, deliverLogout(deps, logout, stop.signal));
    }
  }

  return {
    ...lookout,
    async close() {
      await lookout.close();
      const grace = setTimeout(() => stop.abort(), CLOSE_GRACE_MS);
      await places.empty();
      clearTimeout(grace);
    },
  };
}
