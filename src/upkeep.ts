/**
 * What runs beside the requests: rotating keys, telling apps of sign-outs, saying that this node runs, deleting what has
 * expired, completing what a crash left.
 */
import { hostname } from "node:os";
import type { Services } from "./services.ts";
import type { Config } from "./config/index.ts";
import { background, createLookout, createSealer, type Lookout } from "./core/index.ts";
import {
  createKeyRing,
  type ExternalKeys,
  type KeyRing,
  keyTimesOf,
  type Oidc,
  readLibraryVersion,
} from "./oidc/index.ts";
import { createNodeBeats, type NodeBeats, type NodeReport, readVersion, takeFingerprint } from "./nodes/index.ts";
import {
  createConfiguredSmtp,
  createMailRenderer,
  createMailWorker,
  MAIL_CHANNEL,
  type Mailbox,
  type MailWorker,
} from "./mail/index.ts";
import { createAddressPolicy, createOutbound } from "./outbound/index.ts";
import { createLogoutWorker, LOGOUT_CHANNEL, type LogoutWorker, type SharedPlaces } from "./sessions/index.ts";
import { asStoreFailure, type Listener } from "./storage/index.ts";
import { type Telemetry, traceOutbound } from "./telemetry.ts";
import { workerName } from "./workers/index.ts";

const SEAL_EVERY_MS = 1_000;
const SWEEP_EVERY_MS = 60_000;
const COMPLETE_ENDINGS_EVERY_MS = 3_000;

/** Tells apps of sessions that ended: at once when something is put into the queue, and what waits when it is due. */
export function startLogoutWorker(
  config: Config,
  { database, clock, audit, logger, telemetry }: Services & { readonly telemetry: Telemetry },
  prepareLogout: Oidc["prepareLogout"],
): LogoutWorker {
  const policy = createAddressPolicy(config.outboundAllowedNetworks);
  const traceHeaders = (): Readonly<Record<string, string>> => telemetry.tracing.headers();
  const outbound = traceOutbound(telemetry, createOutbound({ policy, traceHeaders }));
  const report = (error: unknown): void =>
    logger.warn({ reason: String(asStoreFailure(error)) }, "could not tell apps of ended sessions");
  const worker = createLogoutWorker({ db: database.db, clock, audit, outbound, prepareLogout, report });
  return withListener(
    worker,
    database.listen(LOGOUT_CHANNEL, () => worker.wake()),
  );
}

/** Starts a worker that is woken by what others commit. */
function withListener<Worker extends Lookout>(worker: Worker, listener: Listener): Worker {
  worker.start();
  return {
    ...worker,
    async close() {
      await listener.close();
      await worker.close();
    },
  };
}

/** Sends what waits in the outbox: by SMTP, or into the mailbox of an embedded server. Nobody does where mail is off. */
export function startMailWorker(
  config: Config,
  { database, clock, secrets, mailObserver: observer, logger }: Services,
  mailbox: Mailbox | undefined,
): MailWorker | undefined {
  if (config.mail.mode === "off") logger.warn({}, config.mail.meaning);
  const transport = mailbox ?? createConfiguredSmtp(config, clock);
  if (transport === undefined) return undefined;
  const report = (error: unknown): void =>
    logger.warn({ reason: String(asStoreFailure(error)) }, "there is trouble with the outbox of mails");
  const render = createMailRenderer(config);
  const sealer = createSealer(secrets);
  const worker = createMailWorker({ db: database.db, clock, sealer, render, transport, observer, report });
  return withListener(
    worker,
    database.listen(MAIL_CHANNEL, () => worker.wake()),
  );
}

/** Gives events of the audit log their places in its chain: one node at a time, about a second behind. */
export function startAuditSealer(
  { auditChain, logger }: Services,
  { isClockRight }: { readonly isClockRight: () => boolean },
): Lookout {
  const sealer = createLookout({
    // The chain says when it was sealed, and keeps to it.
    look: async () => void (isClockRight() && (await auditChain.sealWaiting())),
    everyMs: SEAL_EVERY_MS,
    reportFailure: (error) =>
      logger.error({ reason: String(asStoreFailure(error)) }, "could not seal the events of the audit log"),
  });
  sealer.start();
  return sealer;
}

/** Follows the keys that sign, makes what is due, and seals them anew in the background. */
export async function startKeyRing(
  config: Config,
  services: Services,
  externalKeys: ExternalKeys | undefined,
): Promise<KeyRing> {
  const { logger } = services;
  const reportFailure = (error: unknown, what: string): void =>
    logger.error({ reason: String(asStoreFailure(error)), what }, "there is trouble with the signing keys");
  const keyRing = createKeyRing({ ...services, times: keyTimesOf(config), externalKeys, reportFailure });
  try {
    await keyRing.start();
  } catch (error) {
    await keyRing.close();
    throw error;
  }
  background(keyRing.reseal(), (error) => reportFailure(error, "sealing the signing keys anew"));
  return keyRing;
}

/** By a clock that is ahead, what is deleted as expired would be needed yet: a revocation, or a code's having been used. */
export function startSweeping(
  services: Services,
  { feedPlaces, isClockRight }: { readonly feedPlaces: SharedPlaces; readonly isClockRight: () => boolean },
): NodeJS.Timeout {
  const { accounts, throttle, audit, auditChain, knownDevices, factors, protocol, sessions } = services;
  const { logoutQueue, mail, webhooks, revocations, nodes, logger } = services;
  const report = (error: unknown): void => logger.warn({ reason: String(asStoreFailure(error)) }, "could not sweep");
  const sweeps = [
    () => protocol.sweep(),
    () => sessions.sweep(),
    () => accounts.byMail.sweep(),
    () => throttle.sweep(),
    () => knownDevices.sweep(),
    () => factors.sweep(),
    () => logoutQueue.sweep(),
    () => mail.sweep(),
    () => webhooks.sweep(),
    () => revocations.sweep(),
    () => nodes.sweep(),
    () => feedPlaces.sweep(),
    () => audit.sweep(),
    () => auditChain.sweep(),
  ];
  // One after the other, for the sake of the connections; one that fails keeps no other from it.
  const sweep = async (): Promise<void> => {
    for (const one of sweeps) if (isClockRight()) await one().catch(report);
  };
  return setInterval(() => background(sweep(), report), SWEEP_EVERY_MS).unref();
}

interface Beating {
  readonly id: string;
  readonly keyRing: KeyRing;
  readonly proxyShares: () => NodeReport["proxy"];
}

/** Says every few seconds that this node runs, and how; at once when its keys are other ones. */
export function createBeats(
  config: Config,
  { nodes, clock, secrets, logger }: Services,
  { id, keyRing, proxyShares }: Beating,
): NodeBeats {
  const worker = workerName();
  const unchanging = {
    name: `${hostname()}:${config.listen.port}${worker === undefined ? "" : `/${worker}`}`,
    version: readVersion(),
    libraryVersion: readLibraryVersion(),
    settings: takeFingerprint(config.settings, secrets),
  };
  const beats = createNodeBeats({
    id,
    nodes,
    clock,
    describe: () => ({ ...unchanging, kids: keyRing.keys.map(({ kid }) => kid), proxy: proxyShares() }),
    reportFailure: (error) => logger.warn({ reason: String(error) }, "could not say that this node runs"),
  });
  keyRing.follow(() => beats.beatNow());
  return beats;
}

/** Once, in the background: signing in works with either seal. */
export function startResealing({ factors, webhooks, logger }: Services): void {
  background(
    factors.reseal().then(() => undefined),
    (error) => logger.warn({ reason: String(asStoreFailure(error)) }, "could not seal the secrets of factors anew"),
  );
  background(
    webhooks.reseal().then(() => undefined),
    (error) => logger.warn({ reason: String(asStoreFailure(error)) }, "could not seal the secrets of webhooks anew"),
  );
}

/** What a crash, or a protocol store that was away, left of endings: at the start, and every few seconds. */
export function startCompletingEndings({ sessions, logger }: Services): NodeJS.Timeout {
  let underWay = false;
  const complete = async (): Promise<void> => {
    if (underWay) return;
    underWay = true;
    try {
      await sessions.completeEndings();
    } finally {
      underWay = false;
    }
  };
  const inBackground = (): void =>
    background(complete(), (error) => {
      logger.warn({ reason: String(asStoreFailure(error)) }, "could not complete the ending of sessions");
    });
  inBackground();
  return setInterval(inBackground, COMPLETE_ENDINGS_EVERY_MS).unref();
}
