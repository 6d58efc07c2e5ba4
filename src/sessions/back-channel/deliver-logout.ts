import type { Audit } from "../../audit/index.ts";
import type { Clock } from "../../core/index.ts";
import type { Outbound } from "../../outbound/index.ts";
import type { Db } from "../../storage/index.ts";
import type { ClaimedLogout } from "./claim-due-logouts.ts";
import { decideOutcome, type TryResult } from "./decide-outcome.ts";
import { settleLogout } from "./settle-logout.ts";

/** A session that one client is to be told of. */
export interface LogoutNotice {
  readonly clientId: string;
  readonly accountId: string;
  readonly sessionId: string;
}

/** Where a notice goes, and the token that says it: signed now, for this one try. */
export interface PreparedLogout {
  readonly uri: string;
  readonly logoutToken: string;
}

export interface DeliveryDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly outbound: Pick<Outbound, "postForm">;
  /** `undefined` when the client is gone or does not want to be told any more. `oidc` signs. */
  readonly prepareLogout: (notice: LogoutNotice) => Promise<PreparedLogout | undefined>;
  /** Told of failures of our own side. What an app answers is none. */
  readonly report: (error: unknown) => void;
}

const POST_TIMEOUT_MS = 5_000;

/** Tries once, and writes down what came of it; returns what the try met. */
export async function deliverLogout(
  deps: DeliveryDeps,
  logout: ClaimedLogout,
  signal: AbortSignal,
): Promise<TryResult> {
  const result = await tryOnce(deps, logout, signal);
  const nowMs = deps.clock.nowMs();
  const outcome = decideOutcome(result, { ...logout, secondsLeft: (logout.expiresAtMs - nowMs) / 1000 });
  // Where this fails, the row's lease runs out and the client is told twice, which is better than not at all.
  await settleLogout(deps, logout, { outcome, nowMs }).catch(deps.report);
  return result;
}

async function tryOnce(deps: DeliveryDeps, logout: ClaimedLogout, signal: AbortSignal): Promise<TryResult> {
  try {
    const prepared = await deps.prepareLogout(logout);
    if (prepared === undefined) return { type: "unwanted" };
    const form = { logout_token: prepared.logoutToken };
    return await deps.outbound.postForm({ uri: prepared.uri, form, timeoutMs: POST_TIMEOUT_MS, signal });
  } catch (error) {
    deps.report(error);
    return { type: "unprepared" };
  }
}
