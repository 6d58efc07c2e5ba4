import { createLookout, type Lookout } from "../core/index.ts";
import { claimDue, type ClaimedRow, type LaneGroup } from "./claim-due.ts";
import { decideOutcome, type TryResult } from "./decide-outcome.ts";
import { settle, type SettleDeps, type Settled } from "./settle.ts";

/** Tries what waits in an outbox. Every node has one; no two of them have the same row. */
export interface OutboxWorker extends Lookout {
  /** Takes nothing new; what is under way has some seconds to end, and is left to another try if it does not. */
  close(): Promise<void>;
}

export interface OutboxWorkerDeps extends SettleDeps {
  /** Tries once. What it throws is reported, and the row is `unprepared`. */
  readonly attempt: (row: ClaimedRow, signal: AbortSignal) => Promise<TryResult>;
  /** Which lanes this node serves. */
  readonly lanes: () => Promise<readonly string[]> | readonly string[];
  readonly settled: (row: Settled) => void;
  readonly limits: OutboxLimits;
}

export interface OutboxLimits {
  /** How many rows one node has under way. */
  readonly placesMax: number;
  /** How many of them may be of one lane; any number when absent. */
  readonly placesPerLane?: number;
  /** Longer than a try can take, and what a row waits for when the node that held it died. */
  readonly leaseMs: number;
  readonly pausesSeconds: readonly [number, ...number[]];
}

const LOOK_EVERY_MS = 1_000;
const CLOSE_GRACE_MS = 3_000;

export function createOutboxWorker(deps: OutboxWorkerDeps): OutboxWorker {
  const { clock, limits } = deps;
  const stop = new AbortController();
  const underway = new Map<Promise<void>, string>();
  const lookout = createLookout({ look, everyMs: LOOK_EVERY_MS, reportFailure: deps.report });

  async function look(): Promise<void> {
    if (underway.size >= limits.placesMax) return;
    const groups = groupLanes(await deps.lanes(), underway, limits);
    if (groups.length === 0) return;
    const claim = { nowMs: clock.nowMs(), leaseMs: limits.leaseMs, groups };
    for (const row of await claimDue(deps.db, deps.table, claim)) {
      const held: Promise<void> = deliver(row).finally(() => {
        underway.delete(held);
        lookout.wake();
      });
      underway.set(held, row.lane);
    }
  }

  /** Tries once, and writes down what came of it. */
  async function deliver(row: ClaimedRow): Promise<void> {
    const result = await deps.attempt(row, stop.signal).catch((error: unknown): TryResult => {
      deps.report(error);
      return { type: "unprepared" };
    });
    const secondsLeft = (row.expiresAtMs - clock.nowMs()) / 1_000;
    const { tries, lane } = row;
    const outcome = decideOutcome(result, { tries, secondsLeft, pausesSeconds: limits.pausesSeconds });
    await settle(deps, { row, outcome, signal: stop.signal });
    const told = outcome.type === "tryAgain" ? "retried" : outcome.type;
    deps.settled({ lane, tries, result: told, ...("reason" in outcome ? { reason: outcome.reason } : {}) });
  }

  return {
    ...lookout,
    async close() {
      await lookout.close();
      const grace = setTimeout(() => stop.abort(), CLOSE_GRACE_MS);
      await Promise.all(underway.keys());
      clearTimeout(grace);
    },
  };
}

/** What may be taken: all lanes together, or each for itself where it has places of its own. */
function groupLanes(
  lanes: readonly string[],
  underway: ReadonlyMap<Promise<void>, string>,
  { placesMax, placesPerLane }: OutboxLimits,
): readonly LaneGroup[] {
  const free = placesMax - underway.size;
  if (placesPerLane === undefined) return lanes.length === 0 ? [] : [{ lanes, places: free }];
  const busy = Map.groupBy(underway.values(), (lane) => lane);
  const groups: LaneGroup[] = [];
  let left = free;
  for (const lane of lanes) {
    const places = Math.min(left, placesPerLane - (busy.get(lane)?.length ?? 0));
    if (places > 0) groups.push({ lanes: [lane], places });
    left -= Math.max(0, places);
  }
  return groups;
}
