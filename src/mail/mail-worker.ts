import { createLookout, type Lookout } from "../core/index.ts";
import { claimDueMails } from "./claim-due-mails.ts";
import { type DeliveryDeps, deliverMail } from "./deliver-mail.ts";

/** Sends what waits in the outbox. Every node has one; no two of them have the same mail. */
export interface MailWorker extends Lookout {
  /** Takes nothing new; what is under way has some seconds to end, and is left to another try if it does not. */
  close(): Promise<void>;
}

/** How many mails one node has under way: each on a connection of its own, so that one that hangs holds no other up. */
export const PLACES_MAX = 8;
/** Longer than a try can take, and what a mail waits for when the node that held it died. */
export const LEASE_MS = 90_000;
const LOOK_EVERY_MS = 1_000;
const CLOSE_GRACE_MS = 3_000;

export function createMailWorker(deps: DeliveryDeps): MailWorker {
  const stop = new AbortController();
  const underway = new Set<Promise<void>>();
  const lookout = createLookout({ look, everyMs: LOOK_EVERY_MS, reportFailure: deps.report });

  async function look(): Promise<void> {
    const limit = PLACES_MAX - underway.size;
    if (limit === 0) return;
    const claim = { nowMs: deps.clock.nowMs(), leaseMs: LEASE_MS, limit };
    for (const mail of await claimDueMails(deps.db, claim)) {
      const held: Promise<void> = deliverMail(deps, mail, stop.signal).finally(() => {
        underway.delete(held);
        lookout.wake();
      });
      underway.add(held);
    }
  }

  return {
    ...lookout,
    async close() {
      await lookout.close();
      const grace = setTimeout(() => stop.abort(), CLOSE_GRACE_MS);
      await Promise.all(underway);
      clearTimeout(grace);
    },
  };
}
