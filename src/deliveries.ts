/** What passes events of the audit log on to others while the server runs. */
import type { Config } from "./config/index.ts";
import { createSealer } from "./core/index.ts";
import { SEALED_CHANNEL } from "./audit/index.ts";
import { createAuditLogWriter, openFileSink, openOutputSink } from "./audit-log/index.ts";
import { createAddressPolicy, createOutbound } from "./outbound/index.ts";
import type { Services } from "./services.ts";
import { asStoreFailure } from "./storage/index.ts";
import { type Telemetry, traceOutbound } from "./telemetry.ts";
import { createWebhookFollower, createWebhookWorker, WEBHOOK_CHANNEL } from "./webhooks/index.ts";

export interface Delivery {
  close(): Promise<void>;
}

/** Puts events into the outbox of webhooks when they are sealed, and sends what is due. */
export function startWebhooks(config: Config, services: Services & { readonly telemetry: Telemetry }): Delivery {
  const { database, clock, audit, auditChain: chain, secrets, webhookObserver: observer, logger, telemetry } = services;
  const report = (error: unknown): void =>
    logger.warn({ reason: String(asStoreFailure(error)) }, "there is trouble with the outbox of webhooks");
  const policy = createAddressPolicy(config.outboundAllowedNetworks);
  const outbound = traceOutbound(
    telemetry,
    createOutbound({ policy, traceHeaders: () => telemetry.tracing.headers() }),
  );
  const { db } = database;
  const sealer = createSealer(secrets);
  const worker = createWebhookWorker({ db, clock, audit, chain, sealer, outbound, observer, report });
  const follower = createWebhookFollower({ db, clock, chain, report });
  const listeners = [
    database.listen(SEALED_CHANNEL, () => follower.wake()),
    database.listen(WEBHOOK_CHANNEL, () => worker.wake()),
  ];
  follower.start();
  worker.start();
  return {
    async close() {
      for (const listener of listeners) await listener.close();
      await follower.close();
      await worker.close();
    },
  };
}

/** Writes events as lines of JSON where they are wanted; one process of the deployment does. */
export function startAuditLog(
  { auditLog }: Config,
  { database, clock, auditChain, logger }: Services,
): Delivery | undefined {
  if (auditLog === undefined) return undefined;
  const report = (error: unknown): void =>
    logger.error({ reason: reasonOf(error) }, "could not write events of the audit log where AUDIT_LOG says");
  const sink = auditLog === "stdout" ? openOutputSink() : openFileSink(auditLog);
  const writer = createAuditLogWriter({ db: database.db, clock, chain: auditChain, sink, report });
  const listener = database.listen(SEALED_CHANNEL, () => writer.wake());
  writer.start();
  return {
    async close() {
      await listener.close();
      await writer.close();
    },
  };
}

/** Of a file, the system's word for it (`ENOSPC`, `EACCES`). */
function reasonOf(error: unknown): string {
  return error instanceof Error && "syscall" in error && "code" in error
    ? String(error.code)
    : String(asStoreFailure(error));
}
