/**
 * What the server tells of itself beside its log: metrics and traces, joined to those who know.
 *
 * Each folder declares what it tells its observer; here they are handed over, and nothing where nothing is configured.
 */
import type { Accounts } from "./accounts/index.ts";
import type { Config } from "./config/index.ts";
import type { Services } from "./services.ts";
import type { MailObserver } from "./mail/index.ts";
import type { Factors } from "./mfa/index.ts";
import { createMetrics, createMetricsServer, type Metrics, type MetricsServer } from "./metrics/index.ts";
import { createTracing, NO_TRACING, traced, type Tracing } from "./observability/index.ts";
import { estimateSignIns, listKeyStandings, type ProtocolObserver } from "./oidc/index.ts";
import type { Outbound } from "./outbound/index.ts";
import type { RevocationFeed } from "./sessions/index.ts";
import type { StoreObserver } from "./storage/index.ts";
import type { WebhookObserver } from "./webhooks/index.ts";
import { isWorker } from "./workers/index.ts";

export interface Telemetry {
  /** Absent when nothing is counted. */
  readonly metrics: Metrics | undefined;
  readonly tracing: Tracing;
  /** Absent when nobody is told. */
  readonly stores: StoreObserver | undefined;
  readonly protocol: ProtocolObserver | undefined;
  /** Tells who counts, too, what the log is told. */
  observeMails(log: MailObserver): MailObserver;
  observeWebhooks(log: WebhookObserver): WebhookObserver;
  close(): Promise<void>;
}

/** For commands, and for servers that are not watched. */
export const NO_TELEMETRY: Telemetry = {
  metrics: undefined,
  tracing: NO_TRACING,
  stores: undefined,
  protocol: undefined,
  observeMails: (log) => log,
  observeWebhooks: (log) => log,
  close: async () => undefined,
};

export async function openTelemetry(config: Pick<Config, "metrics" | "traces">): Promise<Telemetry> {
  const metrics = config.metrics === undefined ? undefined : await createMetrics();
  const tracing = await createTracing(config.traces);
  if (metrics === undefined && config.traces === undefined) return NO_TELEMETRY;
  return {
    metrics,
    tracing,
    stores: {
      called(call) {
        metrics?.stores.called(call);
        tracing.storeCalled(call);
      },
      sent: (store) => metrics?.stores.sent(store),
    },
    protocol: {
      tokenIssued: (grantType, format) => metrics?.protocol.tokenIssued(grantType, format),
      refreshed(outcome) {
        metrics?.protocol.refreshed(outcome);
        tracing.annotate("latchkey.refresh.outcome", outcome);
      },
    },
    observeMails: (log) => ({
      settled(mail) {
        log.settled(mail);
        metrics?.onMailSettled(mail);
      },
    }),
    observeWebhooks: (log) => ({
      settled(webhook) {
        log.settled(webhook);
        metrics?.onWebhookSettled(webhook);
      },
    }),
    async close() {
      metrics?.close();
      await tracing.close();
    },
  };
}

/** The steps of a sign-in, each in a span of its own. */
export function traceAccounts({ tracing }: Telemetry, accounts: Accounts): Accounts {
  return traced(tracing, accounts, {
    names: { signIn: "sign-in password", register: "registration", changePassword: "password change" },
  });
}

export function traceFactors({ tracing }: Telemetry, factors: Factors): Factors {
  const { totp, passkeys, recoveryCodes } = factors;
  return {
    ...factors,
    totp: traced(tracing, totp, { names: { verify: "sign-in totp" } }),
    passkeys: traced(tracing, passkeys, { names: { verify: "sign-in passkey" } }),
    recoveryCodes: traced(tracing, recoveryCodes, { names: { verify: "sign-in recovery code" } }),
  };
}

export function traceOutbound({ tracing }: Telemetry, outbound: Outbound): Outbound {
  return traced(tracing, outbound, { names: { postForm: "back-channel logout", postJson: "webhook" }, kind: "client" });
}

/**
 * The listener for Prometheus; `undefined` when nothing is counted, and in a worker, whose supervisor has it. It answers
 * once `listen` was called.
 */
export function createMetricsListener(
  config: Pick<Config, "metrics">,
  { metrics }: Telemetry,
  { services, feed }: { readonly services: Services; readonly feed: Pick<RevocationFeed, "connectionCount"> },
): MetricsServer | undefined {
  if (metrics === undefined || config.metrics === undefined) return undefined;
  const { database, redis, clock, accounts, mail, auditChain, webhooks, logger } = services;
  metrics.readFrom({
    clock,
    hashingLoad: () => accounts.hashingLoad(),
    feedConnections: () => feed.connectionCount(),
    listKeys: () => listKeyStandings(database.db),
    readMailBacklog: () => mail.readBacklog(),
    readWebhookBacklog: () => webhooks.readBacklog(),
    readAuditBacklog: () => auditChain.readBacklog(),
    estimateSessions: () => estimateSignIns({ db: database.db, redis, clock }),
  });
  if (isWorker) {
    metrics.tellSupervisor();
    return undefined;
  }
  const reportFailure = (error: unknown): void => logger.error({ cause: String(error) }, "could not tell the metrics");
  return createMetricsServer({ metrics, listen: config.metrics, reportFailure });
}
