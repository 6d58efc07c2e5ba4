/**
 * What is counted of a running server, and where Prometheus reads it.
 *
 * `catalogue.ts` is the table of all metrics; the page docs/operations/metrics.md is made from it. `metrics.ts` turns what
 * the other folders tell their observers into counts, and asks for what is only worth knowing when somebody looks.
 * `metrics-server.ts` is the listener, apart from the one that people reach; with several workers it is their supervisor's,
 * who gathers what each of them has counted (`worker-metrics.ts`).
 *
 * Invariants: no label has a value that a stranger chose: each is of a closed list, a pattern of ours, or cut off at a
 * number of values; nothing is loaded or counted unless metrics are configured; nothing here throws at those who tell.
 */
export { CATALOGUE } from "./catalogue.ts";
export { createMetrics, type Metrics, type MetricSources } from "./metrics.ts";
export { gatherWorkerMetrics } from "./worker-metrics.ts";
export { createMetricsServer, type MetricsServer } from "./metrics-server.ts";
