import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Histogram } from "prom-client";

const RESOLUTION_MS = 20;
const LOOK_EVERY_MS = 1_000;

/**
 * Of each second, the longest time that the event loop kept something waiting. Unlike the gauges of prom-client, which
 * begin anew whenever somebody looks, it adds up, so that two servers of Prometheus see the same.
 */
export function watchEventLoop(delays: Histogram): { close(): void } {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  monitor.enable();
  const looking = setInterval(() => {
    // What the monitor measures is from one of its own ticks to the next.
    if (monitor.count > 0) delays.observe(Math.max(0, monitor.max / 1e6 - RESOLUTION_MS) / 1000);
    monitor.reset();
  }, LOOK_EVERY_MS).unref();
  return {
    close() {
      clearInterval(looking);
      monitor.disable();
    },
  };
}
