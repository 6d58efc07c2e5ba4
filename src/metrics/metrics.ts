import type { Metric } from "prom-client";
import { createAuditCounts } from "./audit-counts.ts";
import type { AuditEvent } from "../audit/index.ts";
import type { AnsweredRequest } from "../http/index.ts";
import type { ProtocolObserver, RefreshOutcome } from "../oidc/index.ts";
import type { NewRevocation } from "../sessions/index.ts";
import type { StoreObserver } from "../storage/index.ts";
import { CATALOGUE, type MetricDefinition, type MetricName } from "./catalogue.ts";
import { closedValues } from "./bounded-values.ts";
import {
  type Count,
  createCounts,
  createDurations,
  type Durations,
  type Families,
  type Family,
  type Sample,
} from "./families.ts";
import { watchEventLoop } from "./event-loop-delay.ts";
import { createGauges, type MetricSources } from "./gauges.ts";
import { createRequestCounts } from "./request-counts.ts";
import { createStoreCounts } from "./store-counts.ts";

export type { MetricSources } from "./gauges.ts";

/** What is counted, as observers for those who know. None of them throws. */
export interface Metrics {
  readonly onAnswered: (request: AnsweredRequest) => void;
  readonly onAuditEvent: (event: AuditEvent) => void;
  readonly onRevocations: (records: readonly NewRevocation[]) => void;
  readonly onFeedPassedOn: (oldestAgeMs: number) => void;
  readonly stores: StoreObserver;
  readonly protocol: ProtocolObserver;
  /** Says where to look for what is only worth knowing when somebody asks. */
  readFrom(sources: MetricSources): void;
  /** Everything, in the text format of Prometheus. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Names of all metrics, those of the process included, with what each tells. */
  describe(): readonly { readonly name: string; readonly help: string }[];
  close(): void;
}

/** How often prom-client looks whether the event loop moves. Its own choice, ten, is a hundred wake-ups a second. */
const PROCESS_LOOK_EVERY_MS = 50;

/** Loads prom-client, which writes the text and knows the process; what is ours is counted by ourselves, for speed. */
export async function createMetrics(): Promise<Metrics> {
  const { collectDefaultMetrics, Registry } = await import("prom-client");
  const registry = new Registry();
  const gauges = createGauges();
  const families = createFamilies(
    (metric) => registry.registerMetric(metric),
    (name) => gauges.samplesOf(name),
  );
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: PROCESS_LOOK_EVERY_MS });
  const revocations = families.counts("latchkey_revocations_total");
  for (const kind of REVOCATION_KINDS) revocations.series(kind);
  const eventLoop = watchEventLoop(families.durations("latchkey_event_loop_delay_seconds").series());
  const lag = families.durations("latchkey_feed_lag_seconds").series();
  return {
    onAnswered: createRequestCounts(families),
    onAuditEvent: createAuditCounts(families),
    onRevocations: (records) => {
      for (const { kind } of records) revocations.series(kind).value += 1;
    },
    onFeedPassedOn: (oldestAgeMs) => lag.observe(oldestAgeMs / 1000),
    stores: createStoreCounts(families),
    protocol: createProtocolCounts(families),
    readFrom: (sources) => gauges.readFrom(sources),
    async render() {
      await gauges.refresh();
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    describe: () => registry.getMetricsAsArray().map(({ name, help }) => ({ name, help })),
    close() {
      eventLoop.close();
      registry.clear();
    },
  };
}

/** Made all at once, so that a metric of which nothing happened yet is there, too. */
function createFamilies(
  register: (metric: Metric) => void,
  gaugeSamples: (name: MetricName) => readonly Sample[],
): Families {
  const counts = new Map<MetricName, Family<Count>>();
  const durations = new Map<MetricName, Family<Durations>>();
  for (const [key, definition] of Object.entries<MetricDefinition>(CATALOGUE)) {
    const name = key as MetricName;
    const { help, kind: type } = definition;
    if (type === "histogram") durations.set(name, createDurations(name, definition));
    if (type === "counter") counts.set(name, createCounts(name, definition));
    const family = durations.get(name) ?? counts.get(name);
    const samples = (): readonly Sample[] => [...(family?.samples() ?? []), ...gaugeSamples(name)];
    // All that the registry asks of a metric. Its types want a class of prom-client's own.
    const metric = { name, help, type, get: async () => ({ name, help, type, values: samples() }) };
    register(metric as unknown as Metric);
  }
  return { counts: (name) => ofKind(counts, name), durations: (name) => ofKind(durations, name) };
}

function ofKind<Found>(families: ReadonlyMap<MetricName, Found>, name: MetricName): Found {
  const family = families.get(name);
  if (family === undefined) throw new Error(`${name} is a metric of another kind`);
  return family;
}

const REFRESH_OUTCOMES = [
  "rotated",
  "kept",
  "replayed",
  "reuse",
  "refused",
] as const satisfies readonly RefreshOutcome[];
const REVOCATION_KINDS = [
  "session",
  "consent",
  "account",
  "client",
  "token",
  "key",
  "epoch",
] as const satisfies readonly NewRevocation["kind"][];

function createProtocolCounts(families: Families): ProtocolObserver {
  const tokens = families.counts("latchkey_tokens_issued_total");
  const refreshes = families.counts("latchkey_refreshes_total");
  for (const outcome of REFRESH_OUTCOMES) refreshes.series(outcome);
  const grantTypeOf = closedValues(["authorization_code", "refresh_token", "client_credentials"]);
  return {
    tokenIssued: (grantType, format) => void (tokens.series(grantTypeOf(grantType), format).value += 1),
    refreshed: (outcome) => void (refreshes.series(outcome).value += 1),
  };
}
