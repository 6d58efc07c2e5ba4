import { performance } from "node:perf_hooks";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const LOOK_EVERY_MS = 1_000;
const IDLE_UTILIZATION_MAX = 0.02;
/** Looks in a row that find the process idle. What is compiled is thrown away as well: not worth it for a short lull. */
const IDLE_LOOKS = 15;
/** It has to be worth the pause, which is some 50 ms. */
const WORTH_BYTES = 32 * 1024 * 1024;
/** So that a process with little to do does not pause all the time. */
const LOOKS_BETWEEN = 60;

export interface IdleCollectionDeps {
  /** The share of time since the last call that the event loop was busy, from 0 to 1. */
  readonly takeUtilization: () => number;
  /** Memory that the heap holds, garbage included. */
  readonly heapBytes: () => number;
  readonly collect: () => void;
}

/**
 * Decides at each look whether to collect: when nothing was to be done for some seconds, and the heap has grown since.
 */
export function createIdleCollection({ takeUtilization, heapBytes, collect }: IdleCollectionDeps) {
  let idleLooks = 0;
  let looksToWait = 0;
  let bytesAfterLast = heapBytes();

  return {
    look(): void {
      idleLooks = takeUtilization() <= IDLE_UTILIZATION_MAX ? idleLooks + 1 : 0;
      looksToWait = Math.max(0, looksToWait - 1);
      if (idleLooks < IDLE_LOOKS || looksToWait > 0 || heapBytes() - bytesAfterLast < WORTH_BYTES) return;
      collect();
      bytesAfterLast = heapBytes();
      looksToWait = LOOKS_BETWEEN;
    },
  };
}

/**
 * Gives memory back to the system when there is nothing to do. V8 collects when it wants to allocate, so that a server
 * keeps what a burst of requests left behind for as long as it is idle: several times of what is alive.
 */
export function startIdleCollection(): { close(): Promise<void> } {
  // The one way to reach the collector in a process that is running.
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as NodeJS.GCFunction;
  let before = performance.eventLoopUtilization();
  const idleCollection = createIdleCollection({
    takeUtilization() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
    heapBytes: () => getHeapStatistics().total_physical_size,
    collect: () => collectGarbage({ type: "major", execution: "sync", flavor: "last-resort" }),
  });
  const looking = setInterval(() => idleCollection.look(), LOOK_EVERY_MS).unref();
  return { close: async () => clearInterval(looking) };
}
