import { createAuditCounts } from "./audit-counts.ts";
import type { AuditEvent } from "../audit/index.ts";
import type { AnsweredRequest } from "../http/index.ts";
import type { MailSettled } from "../mail/index.ts";
import type { ProtocolObserver, RefreshOutcome } from "../oidc/index.ts";
import type { NewRevocation } from "../sessions/index.ts";
import type { StoreObserver } from "../storage/index.ts";
import type { WebhookSettled } from "../webhooks/index.ts";
import { closedValues } from "./bounded-values.ts";
import { createFamilies, type Families } from "./families.ts";
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
  readonly onMailSettled: (mail: MailSettled) => void;
  readonly onWebhookSettled: (webhook: WebhookSettled) => void;
  readonly onFeedPassedOn: (oldestAgeMs: number) => void;
  readonly stores: StoreObserver;
  readonly protocol: ProtocolObserver;
  /** Says where to look for what is only worth knowing when somebody asks. */
  readFrom(sources: MetricSources): void;
  /** Everything, in the text format of Prometheus. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** From now on the process that supervises this one is answered, when it asks for them (`worker-metrics.ts`). */
  tellSupervisor(): void;
  /** Names of all metrics, those of the process included, with what each tells. */
  describe(): readonly { readonly name: string; readonly help: string }[];
  close(): void;
}

/** How often prom-client looks whether the event loop moves. Its own choice, ten, is a hundred wake-ups a second. */
const PROCESS_LOOK_EVERY_MS = 50;

/** Loads prom-client, which counts, writes the text and knows the process. */
export async function createMetrics(): Promise<Metrics> {
  const { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } =
    await import("prom-client");
  /** What a supervisor asks for, it is to get as it is now. */
  class FreshRegistry extends Registry {
    override async getMetricsAsJSON() {
      await gauges.refresh();
      return super.getMetricsAsJSON();
    }
  }
  const registry = new FreshRegistry();
  const families = createFamilies({ Counter, Gauge, Histogram }, registry);
  const gauges = createGauges(families);
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: PROCESS_LOOK_EVERY_MS });
  const revocations = families.counter("latchkey_revocations_total");
  for (const kind of REVOCATION_KINDS) revocations.labels(kind).inc(0);
  const eventLoop = watchEventLoop(families.histogram("latchkey_event_loop_delay_seconds"));
  const mails = families.counter("latchkey_mails_total");
  for (const result of OUTBOX_RESULTS) mails.labels(result).inc(0);
  const webhooks = families.counter("latchkey_webhooks_total");
  for (const result of OUTBOX_RESULTS) webhooks.labels(result).inc(0);
  const lag = families.histogram("latchkey_feed_lag_seconds");
  return {
    onAnswered: createRequestCounts(families),
    onAuditEvent: createAuditCounts(families),
    onRevocations: (records) => {
      for (const { kind } of records) revocations.labels(kind).inc();
    },
    onMailSettled: ({ result }) => mails.labels(result).inc(),
    onWebhookSettled: ({ result }) => webhooks.labels(result).inc(),
    onFeedPassedOn: (oldestAgeMs) => lag.observe(oldestAgeMs / 1000),
    stores: createStoreCounts(families),
    protocol: createProtocolCounts(families),
    readFrom: (sources) => gauges.readFrom(sources),
    async render() {
      await gauges.refresh();
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    tellSupervisor() {
      AggregatorRegistry.setRegistries(registry);
      // It listens from the moment at which it is made.
      void new AggregatorRegistry();
    },
    describe: () => registry.getMetricsAsArray().map(({ name, help }) => ({ name, help })),
    close() {
      eventLoop.close();
      registry.clear();
    },
  };
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

const OUTBOX_RESULTS = ["sent", "retried", "refused", "expired"] as const satisfies readonly MailSettled["result"][];

function createProtocolCounts(families: Families): ProtocolObserver {
  const tokens = families.counter("latchkey_tokens_issued_total");
  const refreshes = families.counter("latchkey_refreshes_total");
  for (const outcome of REFRESH_OUTCOMES) refreshes.labels(outcome).inc(0);
  const grantTypeOf = closedValues(["authorization_code", "refresh_token", "client_credentials"]);
  return {
    tokenIssued: (grantType, format) => tokens.labels(grantTypeOf(grantType), format).inc(),
    refreshed: (outcome) => refreshes.labels(outcome).inc(),
  };
}
