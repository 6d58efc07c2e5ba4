import type { AuditBacklog } from "../audit/index.ts";
import type { Clock } from "../core/index.ts";
import type { KeyStanding } from "../oidc/index.ts";
import type { Backlog } from "../outbox/index.ts";
import type { Families } from "./families.ts";

/** Where that is to be had which nobody needs to count while it happens. */
export interface MetricSources {
  readonly clock: Clock;
  readonly hashingLoad: () => { readonly running: number; readonly waiting: number; readonly refused: number };
  readonly feedConnections: () => number;
  readonly listKeys: () => Promise<readonly KeyStanding[]>;
  readonly readMailBacklog: () => Promise<Backlog>;
  readonly readWebhookBacklog: () => Promise<Backlog>;
  readonly readAuditBacklog: () => Promise<Pick<AuditBacklog, "waiting" | "oldestSeconds">>;
  readonly estimateSessions: () => Promise<number>;
}

/** Several servers of Prometheus may look at the same time; the stores are asked at most this often. */
const STORES_EVERY_MS = 15_000;

export interface Gauges {
  readFrom(sources: MetricSources): void;
  /** Looks at the sources. What cannot be read is left out, and counted. */
  refresh(): Promise<void>;
}

export function createGauges(families: Families): Gauges {
  let sources: MetricSources | undefined;
  let storesReadAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function readStores(from: MetricSources): Promise<void> {
    const now = from.clock.nowMs();
    // A clock that was set back must not keep us from looking.
    if (Math.abs(now - storesReadAtMs) < STORES_EVERY_MS) return;
    storesReadAtMs = now;
    const reads = [
      readKeys(families, from),
      readSessions(families, from),
      readBacklog(families, "mails", from.readMailBacklog),
      readBacklog(families, "webhooks", from.readWebhookBacklog),
      readAudit(families, from),
    ];
    const outcomes = await Promise.allSettled(reads);
    const unknown = outcomes.filter(({ status }) => status === "rejected").length;
    families.gauge("latchkey_unknown_gauges").set(unknown);
    if (unknown > 0) storesReadAtMs = Number.NEGATIVE_INFINITY;
  }

  return {
    readFrom(given) {
      sources = given;
    },
    async refresh() {
      if (sources === undefined) return;
      readMemory(families, sources);
      reading ??= readStores(sources).finally(() => {
        reading = undefined;
      });
      await reading;
    },
  };
}

function readMemory(families: Families, sources: MetricSources): void {
  const { running, waiting, refused } = sources.hashingLoad();
  const hashing = families.gauge("latchkey_password_hashing");
  hashing.labels("running").set(running);
  hashing.labels("waiting").set(waiting);
  // Counted where it happens, so that the whole count is taken over.
  const refusals = families.counter("latchkey_password_hashing_refused_total");
  refusals.reset();
  refusals.inc(refused);
  families.gauge("latchkey_feed_connections").set(sources.feedConnections());
}

async function readKeys(families: Families, { listKeys, clock }: MetricSources): Promise<void> {
  const [counts, ages] = [families.gauge("latchkey_signing_keys"), families.gauge("latchkey_signing_key_age_seconds")];
  counts.reset();
  ages.reset();
  for (const { algorithm, state, count, sinceMs } of await listKeys()) {
    counts.labels(algorithm, state).set(count);
    ages.labels(algorithm, state).set(Math.max(0, clock.nowMs() - sinceMs) / 1000);
  }
}

async function readSessions(families: Families, { estimateSessions }: MetricSources): Promise<void> {
  const alive = families.gauge("latchkey_sessions_alive");
  alive.remove();
  alive.set(await estimateSessions());
}

async function readBacklog(
  families: Families,
  what: "mails" | "webhooks",
  read: () => Promise<Backlog>,
): Promise<void> {
  const waiting = families.gauge(`latchkey_${what}_waiting`);
  const oldest = families.gauge(`latchkey_${what}_oldest_seconds`);
  waiting.remove();
  oldest.remove();
  const backlog = await read();
  waiting.set(backlog.waiting);
  oldest.set(backlog.oldestSeconds);
}

async function readAudit(families: Families, { readAuditBacklog }: MetricSources): Promise<void> {
  const waiting = families.gauge("latchkey_audit_events_waiting");
  const oldest = families.gauge("latchkey_audit_oldest_waiting_seconds");
  waiting.remove();
  oldest.remove();
  const backlog = await readAuditBacklog();
  waiting.set(backlog.waiting);
  oldest.set(backlog.oldestSeconds);
}
