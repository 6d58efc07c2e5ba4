/** Puts the server together, on the services that `services.ts` opens: the protocol, the pages, and what runs beside them. */
import type { Context } from "koa";
import type { Config } from "./config/index.ts";
import { AppError, createAuthenticator, createCookieSigner, createSealer } from "./core/index.ts";
import * as http from "./http/index.ts";
import {
  createFactorQuestion,
  createInteractionRoutes,
  createKnownBrowsers,
  createProtocolPages,
  type KnownBrowsers,
} from "./interaction/index.ts";
import { createMailbox, createMailboxRoutes, type Mailbox } from "./mail/index.ts";
import { createHealth, type Health } from "./observability/index.ts";
import { createNodeId } from "./nodes/index.ts";
import { createOidc, isPublished, type KeyRing, type Oidc, PROTOCOL_ROUTES } from "./oidc/index.ts";
import { createSelfServiceRoutes } from "./self-service/index.ts";
import { createServer } from "./server.ts";
import { startAuditLog, startWebhooks } from "./deliveries.ts";
import { openServices, type Overrides, rethrowStoreFailure, type Services } from "./services.ts";
import {
  createEpochs,
  createRevocationFeed,
  createRevocationLog,
  createSharedPlaces,
  type ProtocolStoreWatch,
  type RevocationFeed,
  type RevocationLog,
  type SharedPlaces,
  watchProtocolStore,
} from "./sessions/index.ts";
import { asStoreFailure, type ClockWatch, type Migrations, readPostgresMs, watchClock } from "./storage/index.ts";
import { createMetricsListener, openTelemetry, type Telemetry } from "./telemetry.ts";
import {
  createBeats,
  startAuditSealer,
  startCompletingEndings,
  startKeyRing,
  startLogoutWorker,
  startMailWorker,
  startResealing,
  startSweeping,
} from "./upkeep.ts";
import { sharesPort } from "./workers/index.ts";

export interface Latchkey extends Services {
  /** Takes requests, and answers for its metrics where they are configured. @throws when a port is in use (`EADDRINUSE`). */
  listen(): Promise<void>;
  /** Not ready from now on, and every answer closes its connection, so that a balancer and clients go elsewhere. */
  startLeaving(): void;
  /** Stops taking requests, answers those under way, and closes the stores. */
  close(): Promise<void>;
}

/** @throws AppError MIGRATIONS_PENDING */
export async function compose(config: Config, overrides: Overrides = {}): Promise<Latchkey> {
  const telemetry = await openTelemetry(config);
  const services = await openServices(config, { ...overrides, telemetry });
  const closers: (() => unknown)[] = [() => services.close(), () => telemetry.close()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    await refusePendingMigrations(services.migrations);
    const clockWatch = await startClockWatch(services);
    closers.push(() => clockWatch?.close());
    const isClockRight = (): boolean => clockWatch?.isRight() ?? true;
    const health = createHealth(readinessChecks(services, isClockRight));
    const revocationLog = await followRevocations(services);
    closers.push(() => revocationLog.close());
    const storeWatch = await startStoreWatch(services);
    closers.push(() => storeWatch?.close());
    const keyRing = await startKeyRing(config, services, overrides.externalKeys);
    closers.push(() => keyRing.close());
    const proxySightings = http.createProxySightings(config.issuer);
    const nodeId = createNodeId();
    const feedPlaces = createFeedPlaces(config, services, nodeId);
    const mailbox = config.mail.mode === "mailbox" ? createMailbox(services.clock) : undefined;
    const following = { revocationLog, keyRing, telemetry, proxySightings, feedPlaces, isClockRight, mailbox };
    const running = { ...services, ...following };
    const { oidc, feed } = composeApp(config, running, health);
    const logoutWorker = startLogoutWorker(config, { ...services, telemetry }, oidc.prepareLogout);
    closers.push(() => logoutWorker.close());
    const auditSealer = startAuditSealer(services, { isClockRight });
    closers.push(() => auditSealer.close());
    const mailWorker = startMailWorker(config, services, mailbox);
    closers.push(() => mailWorker?.close());
    const webhooks = startWebhooks(config, { ...services, telemetry });
    closers.push(() => webhooks.close());
    const auditLog = startAuditLog(config, services);
    closers.push(() => auditLog?.close());
    const metricsListener = createMetricsListener(config, telemetry, { services, feed });
    closers.push(() => metricsListener?.close());
    const proxyShares = () => proxySightings.shares();
    const beats = createBeats(config, services, { id: nodeId, keyRing, proxyShares });
    closers.push(() => beats.close());
    const server = createServer(oidc.app, { ...config.listen, sharesPort });
    closers.push(() => server.close());
    // Its connections have no end of their own, which the server would wait for.
    closers.push(() => feed.close());
    const sweeping = startSweeping(services, { feedPlaces, isClockRight });
    closers.push(() => clearInterval(sweeping));
    startResealing(services);
    const completing = startCompletingEndings(services);
    closers.push(() => clearInterval(completing));
    const startLeaving = (): void => {
      health.startDraining();
      server.startLeaving();
    };
    closers.push(startLeaving);
    const listen = async (): Promise<void> => {
      await metricsListener?.listen();
      await server.listen();
      beats.start();
    };
    return { ...services, listen, startLeaving, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function createFeedPlaces({ feed }: Config, { database, nodes }: Services, ownId: string): SharedPlaces {
  const { clientConnectionsMax } = feed;
  return createSharedPlaces({
    db: database.db,
    nodes: { ownId, listIds: () => nodes.listIds() },
    clientConnectionsMax,
  });
}

async function followRevocations({ database, clock, logger }: Services): Promise<RevocationLog> {
  const reportFailure = (error: unknown): void =>
    logger.warn({ reason: String(asStoreFailure(error)) }, "could not read the revocations");
  const revocationLog = createRevocationLog({ database, clock, reportFailure });
  await revocationLog.start();
  return revocationLog;
}

/** The embedded database has the time of this process. */
async function startClockWatch({ database, logger }: Services): Promise<ClockWatch | undefined> {
  if (database.kind === "embedded") return undefined;
  const watch = watchClock({
    readSharedMs: () => readPostgresMs(database.followingDb),
    reportFailure: (error) => logger.warn({ reason: String(asStoreFailure(error)) }, "could not compare the clock"),
    onChange(isRight, offByMs) {
      if (isRight) logger.warn({ offByMs }, "the clock of this machine is right again");
      else logger.error({ offByMs }, "the clock of this machine is not that of postgres: nobody is served until it is");
    },
  });
  await watch.start();
  return watch;
}

/** Postgres as the protocol store has no other store to be compared with. */
async function startStoreWatch(services: Services): Promise<ProtocolStoreWatch | undefined> {
  const { database, redis, clock, audit, revocations, sessions, logger } = services;
  if (redis === undefined) return undefined;
  const redeliverEndings = async (sinceBeat: number): Promise<void> =>
    void (await sessions.redeliverEndings(sinceBeat));
  const epochs = createEpochs({ db: database.db, clock, audit, revocations, redeliverEndings });
  const reportFailure = (error: unknown): void =>
    logger.warn({ reason: String(asStoreFailure(error)) }, "could not check what redis holds");
  const watch = watchProtocolStore({ redis, epochs, reportFailure });
  await watch.start();
  return watch;
}

async function refusePendingMigrations(migrations: Migrations): Promise<void> {
  const pending = await migrations.listPending().catch(rethrowStoreFailure);
  if (pending.length === 0) return;
  throw new AppError("MIGRATIONS_PENDING", {
    detail: `${pending.join(", ")}: run "latchkey migrate", or set MIGRATIONS=apply`,
  });
}

function readinessChecks({ database, redis, migrations }: Services, isClockRight: () => boolean) {
  return {
    clock: () => (isClockRight() ? Promise.resolve() : Promise.reject(new AppError("CLOCK_WRONG"))),
    postgres: () => database.ping(),
    ...(redis === undefined ? {} : { redis: async () => void (await redis.ping()) }),
    migrations: remembered(() => refusePendingMigrations(migrations)),
  };
}

/** Once right, a schema stays right while we run; asking again would take a connection from the requests. */
function remembered(check: () => Promise<void>): () => Promise<void> {
  let hasPassed = false;
  return async () => {
    if (!hasPassed) await check();
    hasPassed = true;
  };
}

/** The services, with what follows the stores while the server runs. */
interface Running extends Services {
  readonly revocationLog: RevocationLog;
  readonly keyRing: KeyRing;
  readonly telemetry: Telemetry;
  readonly isClockRight: () => boolean;
  readonly proxySightings: http.ProxySightings;
  readonly feedPlaces: SharedPlaces;
  readonly mailbox: Mailbox | undefined;
}

/** Every request passes these from the top down. */
function composeApp(
  config: Config,
  services: Running,
  health: Health,
): { readonly oidc: Oidc; readonly feed: RevocationFeed } {
  const { accounts, clock, database, logger, mailbox, secrets, telemetry } = services;
  const { metrics, tracing } = telemetry;
  const { issuer, brand, links } = config;
  const assets = http.createAssets(brand);
  const { charactersMin: passwordCharactersMin } = config.passwords;
  const views = http.createViews({ issuer, brand, links, catalogues: http.catalogues, assets, passwordCharactersMin });
  const failurePages = http.createFailurePages({ views, logger, clock, translateError: asStoreFailure });
  const csrf = http.createCsrf({ authenticator: createAuthenticator(secrets), issuer });
  const proxyTrust = http.createProxyTrust(config.trustedProxies, services.proxySightings);
  const { clientAddress } = proxyTrust;
  const pages = createProtocolPages({ views, failurePages, accounts });
  const sealer = createSealer(secrets);
  const cookieSigner = createCookieSigner(secrets);
  const knownBrowsers = createKnownBrowsers({ devices: services.knownDevices, isSecure: issuer.startsWith("https:") });
  const oidc = createOidc({
    ...services,
    config,
    sealer,
    cookieSigner,
    db: database.db,
    originOf: (ctx) => ({ address: clientAddress(ctx), requestId: http.requestIdOf(ctx) }),
    asksForFactor: createFactorQuestion({ ...services, knownBrowsers }),
    pages,
    observer: telemetry.protocol,
    inSpan: tracing.inSpan,
  });
  const feed = createRevocationFeed({
    log: services.revocationLog,
    clock,
    limits: config.feed,
    sharedPlaces: services.feedPlaces,
    authenticateReader: oidc.authenticateReader,
    onPassedOn: metrics?.onFeedPassedOn,
    onConnectionEnded: (ended) => logger.info(ended, "a service no longer reads the revocation feed"),
  });
  const { registration, verifiesEmail } = config;
  const shared = { accounts, views, failurePages, csrf, registration, verifiesEmail, clientAddress };

  const { app } = oidc;
  app.use(http.createRequestLog({ logger, onAnswered: metrics?.onAnswered }));
  if (tracing.middleware !== undefined) app.use(tracing.middleware);
  app.use(http.createSecurityHeaders(issuer));
  app.use(failurePages.middleware);
  app.use(proxyTrust.middleware);
  app.use(health.middleware);
  app.use(http.createHostCheck(issuer)).use(http.createBodyLimit());
  app.use(assets.middleware);
  app.use(http.createClockCheck({ isClockRight: services.isClockRight, isTimeless: isPublished }));
  app.use(http.createPostToGet([PROTOCOL_ROUTES.authorization, PROTOCOL_ROUTES.end_session]));
  // Outside of the scope, which ends with the answer: this one goes on for minutes.
  app.use(http.createRoutes({ "GET /revocations": feed.answer }));
  app.use(oidc.responseRules);
  app.use(oidc.requestScope);
  app.use(createInteractionRoutes({ ...shared, ...interactionParts(config, services, oidc), knownBrowsers }));
  if (mailbox !== undefined) app.use(createMailboxRoutes({ mailbox, views, issuer }));
  const selfService = { ...selfServiceParts(config, services, oidc), ...browserParts(knownBrowsers) };
  app.use(createSelfServiceRoutes({ ...services, ...shared, ...selfService }));
  return { oidc, feed };
}

/** What the pages inside an authorization request work with, beside what all pages do. */
function interactionParts({ mfa }: Config, { clock, factors }: Services, { interactions }: Oidc) {
  return { interactions, clock, factors, trustedBrowserSeconds: mfa.trustedBrowserSeconds };
}

/** What these know of the browser that asks. */
function browserParts(knownBrowsers: KnownBrowsers) {
  return {
    browserTokenOf: (ctx: Context) => knownBrowsers.tokenOf(ctx),
    noteBrowser: (ctx: Context, accountId: string) => knownBrowsers.note(ctx, accountId, { provedBy: "password" }),
  };
}

/** What the pages outside of one work with. */
function selfServiceParts(
  { mode, demo, mfa, placeOf }: Config,
  { mailbox }: Running,
  { browserSessions, allowedClients }: Oidc,
) {
  const demoUrl = demo === undefined ? undefined : `http://localhost:${demo.appPort}`;
  const site = { mode, hasMailbox: mailbox !== undefined, demoUrl, factorPolicy: mfa.policy, placeOf };
  return { ...site, browserSessions, allowedClients };
}
