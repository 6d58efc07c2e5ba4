import { createAudit } from "../../src/audit/index.ts";
import { createKeyRing, type KeyRing } from "../../src/oidc/index.ts";
import { createRevocations } from "../../src/sessions/index.ts";
import type { Database } from "../../src/storage/index.ts";

export const ROTATION_SECONDS = 1_000;

/** What of a node has to do with signing keys; resolves when all that is due is done. */
export async function startRing(node: {
  readonly database: Database;
  readonly secret: string;
  readonly aheadMs: number;
}): Promise<KeyRing> {
  const { database, secret, aheadMs } = node;
  const { db } = database;
  const clock = { nowMs: () => Date.now() + aheadMs };
  const ring = createKeyRing({
    database,
    clock,
    secrets: [secret],
    audit: createAudit({ db, clock }),
    revocations: createRevocations({ db, clock }),
    // Retired keys go before the next rotation, so that each rotation has every kind of step.
    times: { rotationSeconds: ROTATION_SECONDS, leadSeconds: 60, hintSeconds: 0 },
    reportFailure: (error) => {
      throw error;
    },
  });
  await ring.start();
  return ring;
}
