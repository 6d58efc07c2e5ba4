import { setTimeout as delay } from "node:timers/promises";
import { runClosedLoop } from "../load/closed-loop.ts";
import { createLoad, type Load, type Operation } from "../load/load.ts";
import { median, percentile, type Row } from "../report.ts";
import { startStores } from "../stores.ts";
import type { RunningVariant, Variant } from "../variants/variant.ts";

const MEBIBYTE_BYTES = 1024 * 1024;
const REST_MS = 20_000;
const REST_POLL_MS = 500;
const WARM_UP_ROUNDS = 4;
const PEOPLE_PER_WORKER = 8;

/** A kind of request, and what rows call it. */
export interface NamedOperation {
  readonly operation: Operation;
  readonly name: string;
}

export interface TurnOptions {
  /** How rows name what is of no single kind of request, and how progress is told. */
  readonly scenario: string;
  readonly operations: readonly NamedOperation[];
  readonly rounds: number;
  /** Of each kind, for each variant, in each round. */
  readonly requestCount: number;
  /** Requests in flight. */
  readonly workerCount: number;
  readonly progress: (line: string) => void;
}

export type ServerVariant = Pick<Variant, "name" | "start">;

interface Sample {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicroseconds: number;
}

/** A variant's server with its stores and its clients, ready to be measured. */
interface Bench {
  readonly variant: ServerVariant;
  readonly server: RunningVariant;
  readonly load: Load;
  readonly samples: Record<Operation, Sample[]>;
  close(): Promise<void>;
}

/** Requests per second, latency and processor time of each kind of request, by all variants in turn; then memory at rest. */
export async function measureTakingTurns(
  variants: readonly ServerVariant[],
  options: TurnOptions,
): Promise<readonly Row[]> {
  const benches: Bench[] = [];
  try {
    for (const variant of variants) {
      options.progress(`${options.scenario}: starting ${variant.name} and signing people in`);
      benches.push(await openBench(variant, options));
    }
    for (let round = 0; round < WARM_UP_ROUNDS + options.rounds; round += 1) {
      const part = round < WARM_UP_ROUNDS ? "warming up" : `round ${round - WARM_UP_ROUNDS + 1}`;
      options.progress(`${options.scenario}: ${part}`);
      // Who comes first changes from round to round, so that a drift of the machine favors nobody.
      await runRound(round % 2 === 0 ? benches : benches.toReversed(), options);
    }
    const rows: Row[] = [];
    for (const bench of benches) rows.push(...summarize(bench, options), await measureResident(bench, options));
    return rows;
  } finally {
    for (const bench of benches) await bench.close();
  }
}

async function openBench(variant: ServerVariant, { workerCount }: TurnOptions): Promise<Bench> {
  await using started = new AsyncDisposableStack();
  const stores = await startStores();
  started.defer(() => stores.stop());
  const personCount = workerCount * PEOPLE_PER_WORKER;
  const server = await variant.start({ stores, personCount });
  started.defer(() => server.stop());
  const load = await createLoad(server, { personCount, connectionsMax: workerCount });
  started.defer(() => load.close());
  const samples = { client_credentials: [], silent_sign_in: [], code_exchange: [], refresh: [] };
  const everything = started.move();
  return { variant, server, load, samples, close: () => everything.disposeAsync() };
}

async function runRound(benches: readonly Bench[], options: TurnOptions): Promise<void> {
  for (const { operation } of options.operations) {
    for (const bench of benches) bench.samples[operation].push(await measure(bench, operation, options));
  }
}

async function measure(bench: Bench, operation: Operation, options: TurnOptions): Promise<Sample> {
  const { workerCount, requestCount } = options;
  const before = await bench.server.usage();
  const { totalMs, latenciesMs } = await runClosedLoop({
    workerCount,
    requestCount,
    perform: (index) => bench.load.perform(operation, index),
  });
  const after = await bench.server.usage();
  return {
    requestsPerSecond: requestCount / (totalMs / 1000),
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    cpuMicroseconds: (after.cpuMicroseconds - before.cpuMicroseconds) / requestCount,
  };
}

function summarize({ variant, samples }: Bench, options: TurnOptions): readonly Row[] {
  return options.operations.flatMap(({ operation, name }) => {
    const measured = samples[operation].slice(WARM_UP_ROUNDS);
    const row = (metric: string, unit: string, valueOf: (sample: Sample) => number): Row => ({
      scenario: name,
      variant: variant.name,
      metric,
      value: median(measured.map(valueOf)),
      unit,
    });
    return [
      row("requests_per_second", "1/s", (sample) => sample.requestsPerSecond),
      row("p50_ms", "ms", (sample) => sample.p50Ms),
      row("p99_ms", "ms", (sample) => sample.p99Ms),
      row("cpu_us_per_request", "µs", (sample) => sample.cpuMicroseconds),
    ];
  });
}

/** Once it has come to rest: what a server holds is not what its last requests left behind. */
async function measureResident({ variant, server }: Bench, { scenario }: TurnOptions): Promise<Row> {
  let { residentBytes } = await server.usage();
  for (let steadyMs = 0; steadyMs < REST_MS; steadyMs += REST_POLL_MS) {
    await delay(REST_POLL_MS);
    const now = (await server.usage()).residentBytes;
    if (Math.abs(now - residentBytes) > MEBIBYTE_BYTES) steadyMs = 0;
    residentBytes = now;
  }
  const value = residentBytes / MEBIBYTE_BYTES;
  return { scenario, variant: variant.name, metric: "resident_mb", value, unit: "MiB" };
}
