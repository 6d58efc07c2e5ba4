import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CATALOGUE, createMetrics } from "../src/metrics/index.ts";

/** Where the page lives; a test compares it with {@link metricsPage}. */
export const METRICS_PAGE = join(import.meta.dirname, "operations/metrics.md");

const OPENING = `# Metrics

<!-- Written by \`node docs/generate-metrics.ts\` from src/metrics/catalogue.ts. Change the table there. -->

With \`METRICS_PORT\` set, each server answers \`GET /metrics\` at that port for Prometheus, on loopback unless
\`METRICS_HOST\` says otherwise. Whoever reaches the port can read everything here; there is no password. Without the
setting nothing is counted, and nothing is loaded for it (some 10 MB).

Every node counts for itself: add the counters of all of them. (With \`--workers\` one port answers for all workers of a
node, added up.) Gauges that say *every node reports the same* are about
the deployment: take their maximum. No label has a value that a stranger can choose.

What needs a store to be asked (keys, sessions) is asked at most every 15 seconds, whoever looks, and left out while the
store is away: \`latchkey_unknown_gauges\` says how many are missing.

[A dashboard for Grafana](grafana-dashboard.json) and [rules for alerts](alerts.yaml) lie beside this page.
`;

const OF_THE_PROCESS = `## Of the process

Those that prom-client knows of any Node.js process. The \`nodejs_eventloop_lag_…\` begin anew at each look: of two servers of
Prometheus each sees its part. \`latchkey_event_loop_delay_seconds\` adds up.

| metric | |
|---|---|
`;

/** The whole page, from the table of metrics. */
export async function metricsPage(): Promise<string> {
  const metrics = await createMetrics();
  const ofTheProcess = metrics.describe().filter(({ name }) => !Object.hasOwn(CATALOGUE, name));
  metrics.close();
  const sections = Object.entries(CATALOGUE).map(([name, { kind, help, labels }]) => {
    const rows = Object.entries(labels).map(([label, values]) => `- \`${label}\`: ${values}\n`);
    return `## ${name}\n\nA ${kind}. ${help}\n${rows.length === 0 ? "" : `\n${rows.join("")}`}`;
  });
  const rows = ofTheProcess.map(({ name, help }) => `| \`${name}\` | ${help} |\n`);
  return [OPENING, ...sections, OF_THE_PROCESS + rows.join("")].join("\n");
}

if (import.meta.main) writeFileSync(METRICS_PAGE, await metricsPage());
