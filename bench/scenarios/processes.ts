import { setTimeout as delay } from "node:timers/promises";
import { scrape } from "../../test/support/prometheus.ts";
import { runClosedLoop } from "../load/closed-loop.ts";
import { createLoad, OPERATIONS } from "../load/load.ts";
import { median, percentile, type Row } from "../report.ts";
import { startStores } from "../stores.ts";
import { latchkeyAsProcesses, measureStarts, startRotatingLatchkey } from "../variants/latchkey.ts";
import { measureTakingTurns, type TurnOptions } from "./taking-turns.ts";

const COUNTS = [1, 2, 4];
const STARTS = 5;
/** What the keys are published for, at the least, before they may sign. */
const LEAD_MS = 2_100;
const WARM_UP_REQUESTS = 6_000;
/** Requests in flight while keys rotate: a processor that has nothing left makes everybody wait for whatever else runs. */
const ROTATION_WORKERS = 2;

/** What more processes bring on this machine, how soon they are ready, and what a rotation of keys costs meanwhile. */
export async function runProcessesScenario(options: Omit<TurnOptions, "scenario" | "operations">): Promise<Row[]> {
  const operations = OPERATIONS.map((operation) => ({ operation, name: `processes/${operation}` }));
  const variants = COUNTS.map(latchkeyAsProcesses);
  const rows = [...(await measureTakingTurns(variants, { ...options, operations, scenario: "processes" }))];
  for (const workers of COUNTS) {
    options.progress(`processes: starting ${workers} of them ${STARTS} times`);
    rows.push(await measureReady(workers));
  }
  options.progress("processes: rotating keys under load");
  rows.push(...(await measureRotation(options)));
  return rows;
}

async function measureReady(workers: number): Promise<Row> {
  const stores = await startStores();
  try {
    const value = median(await measureStarts(stores, { workers, count: STARTS }));
    return { scenario: "processes", variant: `${workers}_processes`, metric: "ready_ms", value, unit: "ms" };
  } finally {
    await stores.stop();
  }
}

/** The same load in rounds, every second one of which has its keys rotated in the middle. */
async function measureRotation(options: Omit<TurnOptions, "scenario" | "operations">): Promise<readonly Row[]> {
  const { rounds, requestCount } = options;
  const workerCount = ROTATION_WORKERS;
  await using started = new AsyncDisposableStack();
  const stores = await startStores();
  started.defer(() => stores.stop());
  const personCount = 8 * workerCount;
  const server = await startRotatingLatchkey(stores, personCount);
  started.defer(() => server.stop());
  const load = await createLoad(server, { personCount, connectionsMax: workerCount });
  started.defer(() => load.close());
  const metrics = scrape(server.metricsPort);
  const refresh = (index: number): Promise<void> => load.perform("refresh", index);
  await runClosedLoop({ workerCount, requestCount: WARM_UP_REQUESTS, perform: refresh });

  const measured = { steady: { p99: [], delay: [] }, rotating: { p99: [], delay: [] } } satisfies Record<
    string,
    Figures
  >;
  for (let round = 0; round < 2 * rounds; round += 1) {
    const kind = round % 2 === 0 ? "steady" : "rotating";
    await delay(LEAD_MS);
    // What prom-client says of the loop begins anew when it is looked at.
    await metrics.valueOf("nodejs_eventloop_lag_max_seconds");
    const rotateAt = kind === "rotating" ? Math.floor(requestCount / 2) : undefined;
    let rotated: Promise<void> | undefined;
    const { latenciesMs } = await runClosedLoop({
      workerCount,
      requestCount,
      async perform(index) {
        if (index === rotateAt) rotated = server.rotateKeys();
        await refresh(index);
      },
    });
    await rotated;
    const figures: Figures = measured[kind];
    figures.p99.push(percentile(latenciesMs, 0.99));
    figures.delay.push(1_000 * (await metrics.valueOf("nodejs_eventloop_lag_max_seconds")));
  }
  return Object.entries(measured).flatMap(([variant, { p99, delay: delays }]: [string, Figures]) => [
    { scenario: "rotation", variant, metric: "p99_ms", value: median(p99), unit: "ms" },
    { scenario: "rotation", variant, metric: "event_loop_delay_max_ms", value: median(delays), unit: "ms" },
  ]);
}

interface Figures {
  readonly p99: number[];
  readonly delay: number[];
}
