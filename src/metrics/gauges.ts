import type { Clock } from "../core/index.ts";
import type { KeyStanding } from "../oidc/index.ts";
import type { MetricName } from "./catalogue.ts";
import type { Sample } from "./families.ts";

/** Where that is to be had which nobody needs to count while it happens. */
export interface MetricSources {
  readonly clock: Clock;
  readonly hashingLoad: () => { readonly running: number; readonly waiting: number; readonly refused: number };
  readonly feedConnections: () => number;
  readonly listKeys: () => Promise<readonly KeyStanding[]>;
  readonly estimateSessions: () => Promise<number>;
}

/** Several servers of Prometheus may look at the same time; the stores are asked at most this often. */
const STORES_EVERY_MS = 15_000;

export interface Gauges {
  readFrom(sources: MetricSources): void;
  /** Looks at the sources. What cannot be read is left out, and counted. */
  refresh(): Promise<void>;
  samplesOf(name: MetricName): readonly Sample[];
}

type Values = Map<MetricName, readonly Sample[]>;

export function createGauges(): Gauges {
  const values: Values = new Map();
  let sources: MetricSources | undefined;
  let storesReadAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function readStores(from: MetricSources): Promise<void> {
    const now = from.clock.nowMs();
    // A clock that was set back must not keep us from looking.
    if (Math.abs(now - storesReadAtMs) < STORES_EVERY_MS) return;
    storesReadAtMs = now;
    const outcomes = await Promise.allSettled([readKeys(values, from), readSessions(values, from)]);
    const unknown = outcomes.filter(({ status }) => status === "rejected").length;
    values.set("latchkey_unknown_gauges", [plain("latchkey_unknown_gauges", unknown)]);
    if (unknown > 0) storesReadAtMs = Number.NEGATIVE_INFINITY;
  }

  return {
    readFrom(given) {
      sources = given;
    },
    async refresh() {
      if (sources === undefined) return;
      readMemory(values, sources);
      reading ??= readStores(sources).finally(() => {
        reading = undefined;
      });
      await reading;
    },
    samplesOf: (name) => values.get(name) ?? [],
  };
}

function readMemory(values: Values, sources: MetricSources): void {
  const { running, waiting, refused } = sources.hashingLoad();
  const hashing = "latchkey_password_hashing";
  values.set(hashing, [
    { metricName: hashing, labels: { state: "running" }, value: running },
    { metricName: hashing, labels: { state: "waiting" }, value: waiting },
  ]);
  values.set("latchkey_password_hashing_refused_total", [plain("latchkey_password_hashing_refused_total", refused)]);
  values.set("latchkey_feed_connections", [plain("latchkey_feed_connections", sources.feedConnections())]);
}

async function readKeys(values: Values, { listKeys, clock }: MetricSources): Promise<void> {
  values.delete("latchkey_signing_keys");
  values.delete("latchkey_signing_key_age_seconds");
  const keys = await listKeys();
  const write = (metricName: MetricName, valueOf: (key: KeyStanding) => number): void => {
    const samples = keys.map((key): Sample => {
      const { algorithm, state } = key;
      return { metricName, labels: { algorithm, state }, value: valueOf(key) };
    });
    values.set(metricName, samples);
  };
  write("latchkey_signing_keys", ({ count }) => count);
  write("latchkey_signing_key_age_seconds", ({ sinceMs }) => Math.max(0, clock.nowMs() - sinceMs) / 1000);
}

async function readSessions(values: Values, { estimateSessions }: MetricSources): Promise<void> {
  values.delete("latchkey_sessions_alive");
  values.set("latchkey_sessions_alive", [plain("latchkey_sessions_alive", await estimateSessions())]);
}

function plain(metricName: MetricName, value: number): Sample {
  return { metricName, labels: {}, value };
}
