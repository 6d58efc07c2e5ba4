import type { Metrics } from "./metrics.ts";

/**
 * What all workers of this process count, as if it were one server: sums, and of what every node reports alike, the
 * largest. It rejects when a worker does not answer within five seconds.
 */
export async function gatherWorkerMetrics(): Promise<Pick<Metrics, "render">> {
  const { AggregatorRegistry } = await import("prom-client");
  const registry = new AggregatorRegistry();
  return {
    render: async () => ({ contentType: registry.contentType, text: await registry.clusterMetrics() }),
  };
}
