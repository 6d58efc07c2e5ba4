/**
 * The only constructor of things: opens the stores, builds what stands on them, and puts the server together.
 *
 * `openServices` is what the command line needs; `compose` adds the protocol, the pages and the HTTP server.
 */
import { type Accounts, createAccounts, createKnownDevices, type KnownDevices } from "./accounts/index.ts";
import { type Audit, createAudit } from "./audit/index.ts";
import { type Clients, createClients } from "./clients/index.ts";
import type { Config } from "./config/index.ts";
import {
  AppError,
  type Clock,
  createAuthenticator,
  createCookieSigner,
  createSealer,
  systemClock,
} from "./core/index.ts";
import * as http from "./http/index.ts";
import {
  createFactorQuestion,
  createInteractionRoutes,
  createKnownBrowsers,
  createProtocolPages,
} from "./interaction/index.ts";
import { createFactors, type Factors } from "./mfa/index.ts";
import { createHealth, createLogger, type Health, type Logger } from "./observability/index.ts";
import {
  createOidc,
  createProtocolCommands,
  createProtocolSessionsOf,
  forgetConsent,
  type Oidc,
  PROTOCOL_ROUTES,
  type ProtocolCommands,
  revocationFeedUrl,
  signInSecondsMax,
} from "./oidc/index.ts";
import { createAddressPolicy } from "./outbound/index.ts";
import { createSelfServiceRoutes } from "./self-service/index.ts";
import { createServer } from "./server.ts";
import {
  createMetricsListener,
  NO_TELEMETRY,
  openTelemetry,
  type Telemetry,
  traceAccounts,
  traceFactors,
} from "./telemetry.ts";
import { startCompletingEndings, startLogoutWorker, startResealing, startSweeping } from "./upkeep.ts";
import {
  createEpochs,
  createLogoutQueue,
  createRevocationFeed,
  createRevocationLog,
  createRevocations,
  createSessions,
  type LogoutQueue,
  type ProtocolStoreWatch,
  type RevocationFeed,
  type RevocationLog,
  type Revocations,
  type Sessions,
  watchProtocolStore,
} from "./sessions/index.ts";
import {
  asStoreFailure,
  connectRedis,
  createMigrations,
  type Database,
  type DataDirectory,
  lockDataDirectory,
  type Migrations,
  openEmbedded,
  openPostgres,
  openRedis,
  type Redis,
} from "./storage/index.ts";

export interface Overrides {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** `ifReachable`: a Redis that is away fails what needs it, and nothing else. The command line needs it seldom. */
  readonly redis?: "required" | "ifReachable";
}

/** What is told of the services' work, where somebody listens. */
interface Observed {
  readonly telemetry?: Telemetry;
}

export interface Services {
  readonly database: Database;
  readonly redis: Redis | undefined;
  readonly migrations: Migrations;
  readonly audit: Audit;
  readonly accounts: Accounts;
  readonly knownDevices: KnownDevices;
  readonly factors: Factors;
  readonly clients: Clients;
  readonly protocol: ProtocolCommands;
  readonly sessions: Sessions;
  readonly revocations: Revocations;
  readonly logoutQueue: LogoutQueue;
  /** Secrets that keys are derived from, newest first; of the data directory in embedded mode. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  close(): Promise<void>;
}

export interface Latchkey extends Services {
  /** Takes requests, and answers for its metrics where they are configured. @throws when a port is in use (`EADDRINUSE`). */
  listen(): Promise<void>;
  /** Stops taking requests, answers those under way, and closes the stores. */
  close(): Promise<void>;
}

/**
 * Opens the stores and what the command line works with. Embedded mode locks the data directory and applies migrations.
 *
 * @throws DataDirectoryLockedError, AppError STORE_UNAVAILABLE
 */
export async function openServices(config: Config, overrides: Overrides & Observed = {}): Promise<Services> {
  const telemetry = overrides.telemetry ?? NO_TELEMETRY;
  const clock = overrides.clock ?? systemClock;
  const logger = overrides.logger ?? createLogger({ level: config.logLevel });
  const directory = config.mode === "embedded" ? lockDataDirectory(config.dataDirectory) : undefined;
  const closers: (() => unknown)[] = [() => directory?.release()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    const database = await openDatabase(config, { directory, logger, telemetry });
    closers.push(() => database.close());
    const migrations = createMigrations(database.db, database.patientDb);
    if (config.migrations === "apply") await migrations.apply().catch(rethrowStoreFailure);
    const redis = await openProtocolRedis(config, { logger, telemetry, need: overrides.redis ?? "required" });
    closers.push(() => redis?.disconnect());
    // What an older secret of ours sealed in this directory still opens when LATCHKEY_SECRET is set later.
    const secrets = directory === undefined ? config.secrets : [...config.secrets, directory.secret];
    const services = buildServices(config, { database, redis, clock, secrets, telemetry });
    return { ...services, database, redis, migrations, secrets, clock, logger, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function buildServices(
  config: Config,
  stores: Pick<Services, "database" | "redis" | "clock" | "secrets"> & Required<Observed>,
) {
  const { db } = stores.database;
  const { redis, clock, secrets, telemetry } = stores;
  const audit = createAudit({ db, clock, onAppended: telemetry.metrics?.onAuditEvent });
  const revocations = createRevocations({ db, clock, onAppended: telemetry.metrics?.onRevocations });
  const clients = createClients({
    db,
    clock,
    audit,
    revokeClientTokens: (tx, ids) =>
      revocations.append(
        tx,
        ids.map((clientId) => ({ kind: "client", clientId })),
      ),
    addresses: createAddressPolicy(config.outboundAllowedNetworks),
    reservedIdentifiers: [revocationFeedUrl(config.issuer)],
  });
  const logoutQueue = createLogoutQueue({ db, clock, audit, recipients: clients });
  const sessions = createSessions({
    db,
    clock,
    audit,
    revocations,
    protocol: createProtocolSessionsOf({ config, clock, db, redis }),
    session: config.session,
    lifetimeSeconds: signInSecondsMax(config),
    forgetConsent,
    onSessionEnd: logoutQueue.enqueueLogouts,
  });
  const protocol = createProtocolCommands({ config, clock, db, redis, audit, clients, revocations, sessions });
  const plainAccounts = createAccounts({
    db,
    clock,
    audit,
    passwordHash: config.passwordHash,
    endSessions: (accountId, reason) => sessions.endAll(accountId, reason),
    forgetSessions: (tx, accountId) => sessions.forgetAccount(tx, accountId),
  });
  const accounts = traceAccounts(telemetry, plainAccounts);
  const knownDevices = createKnownDevices({ db, clock });
  const plainFactors = createFactors({
    db,
    clock,
    audit,
    sealer: createSealer(secrets),
    authenticator: createAuthenticator(secrets),
    knownDevices,
    issuer: config.issuer,
    brandName: config.brand.name,
  });
  const factors = traceFactors(telemetry, plainFactors);
  return { audit, clients, protocol, sessions, accounts, knownDevices, factors, logoutQueue, revocations };
}

async function openDatabase(
  config: Config,
  { directory, logger, telemetry }: { directory: DataDirectory | undefined; logger: Logger; telemetry: Telemetry },
): Promise<Database> {
  const observer = telemetry.stores;
  if (directory !== undefined) return openEmbedded(directory.databasePath, observer);
  const onConnectionError = (error: Error): void =>
    logger.warn({ reason: error.message }, "lost a connection to postgres");
  const { url = "", poolMax } = config.database;
  const database = openPostgres({ url, poolMax, onConnectionError, observer });
  try {
    await database.ping();
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openProtocolRedis(
  config: Config,
  { logger, telemetry, need }: { logger: Logger; telemetry: Telemetry; need: NonNullable<Overrides["redis"]> },
): Promise<Redis | undefined> {
  if (config.redisUrl === undefined) return undefined;
  const onConnectionError = (error: Error): void => {
    logger.warn({ reason: error.message }, "lost the connection to redis");
  };
  const redis = openRedis({ url: config.redisUrl, onConnectionError, observer: telemetry.stores });
  try {
    for (const advice of await connectRedis(redis)) logger.warn({}, advice);
  } catch (error) {
    if (need === "ifReachable") return redis;
    redis.disconnect();
    throw error;
  }
  return redis;
}

function rethrowStoreFailure(error: unknown): never {
  throw asStoreFailure(error);
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
    const health = createHealth(readinessChecks(services));
    const revocationLog = await followRevocations(services);
    closers.push(() => revocationLog.close());
    const storeWatch = await startStoreWatch(services);
    closers.push(() => storeWatch?.close());
    const { oidc, feed } = await composeApp(config, { ...services, revocationLog, telemetry }, health);
    const logoutWorker = startLogoutWorker(config, { ...services, telemetry }, oidc.prepareLogout);
    closers.push(() => logoutWorker.close());
    const metricsListener = createMetricsListener(config, telemetry, { services, feed });
    closers.push(() => metricsListener?.close());
    const server = createServer(oidc.app, config.listen);
    closers.push(() => server.close());
    // Its connections have no end of their own, which the server would wait for.
    closers.push(() => feed.close());
    const sweeping = startSweeping(services);
    closers.push(() => clearInterval(sweeping));
    startResealing(services);
    const completing = startCompletingEndings(services);
    closers.push(() => clearInterval(completing));
    closers.push(() => health.startDraining());
    const listen = async (): Promise<void> => {
      await metricsListener?.listen();
      await server.listen();
    };
    return { ...services, listen, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function followRevocations({ database, clock, logger }: Services): Promise<RevocationLog> {
  const reportFailure = (error: unknown): void =>
    logger.warn({ reason: String(asStoreFailure(error)) }, "could not read the revocations");
  const revocationLog = createRevocationLog({ database, clock, reportFailure });
  await revocationLog.start();
  return revocationLog;
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

function readinessChecks({ database, redis, migrations }: Services) {
  return {
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

/** Every request passes these from the top down. */
async function composeApp(
  config: Config,
  services: Services & { readonly revocationLog: RevocationLog; readonly telemetry: Telemetry },
  health: Health,
): Promise<{ readonly oidc: Oidc; readonly feed: RevocationFeed }> {
  const { accounts, clients, clock, logger, secrets, telemetry } = services;
  const { metrics, tracing } = telemetry;
  const { issuer, brand, links } = config;
  const assets = http.createAssets(brand);
  const views = http.createViews({ issuer, brand, links, catalogues: http.catalogues, assets });
  const failurePages = http.createFailurePages({ views, logger, clock, translateError: asStoreFailure });
  const csrf = http.createCsrf({ authenticator: createAuthenticator(secrets), issuer });
  const proxyTrust = http.createProxyTrust(config.trustedProxies);
  const { clientAddress } = proxyTrust;
  const pages = createProtocolPages({ views, failurePages, accounts });
  const { database, redis, audit } = services;
  const sealer = createSealer(secrets);
  const cookieSigner = createCookieSigner(secrets);
  const knownBrowsers = createKnownBrowsers({ devices: services.knownDevices, isSecure: issuer.startsWith("https:") });
  const oidc = await createOidc({
    config,
    clock,
    logger,
    sealer,
    cookieSigner,
    db: database.db,
    patientDb: database.patientDb,
    redis,
    audit,
    accounts,
    clients,
    revocations: services.revocations,
    revocationLog: services.revocationLog,
    sessions: services.sessions,
    originOf: (ctx) => ({ address: proxyTrust.clientAddress(ctx), requestId: http.requestIdOf(ctx) }),
    asksForFactor: createFactorQuestion({ ...services, knownBrowsers }),
    pages,
    observer: telemetry.protocol,
    inSpan: tracing.inSpan,
  });
  const feed = createRevocationFeed({
    log: services.revocationLog,
    clock,
    limits: config.feed,
    authenticateReader: oidc.authenticateReader,
    onPassedOn: metrics?.onFeedPassedOn,
    onConnectionEnded: (ended) => logger.info(ended, "a service no longer reads the revocation feed"),
  });
  const shared = { accounts, views, failurePages, csrf, registration: config.registration, clientAddress };

  const { app } = oidc;
  app.use(http.createRequestLog({ logger, onAnswered: metrics?.onAnswered }));
  if (tracing.middleware !== undefined) app.use(tracing.middleware);
  app.use(http.createSecurityHeaders(issuer));
  app.use(failurePages.middleware);
  app.use(proxyTrust.middleware);
  app.use(health.middleware);
  app.use(http.createHostCheck(issuer));
  app.use(http.createBodyLimit());
  app.use(assets.middleware);
  app.use(http.createPostToGet([PROTOCOL_ROUTES.authorization, PROTOCOL_ROUTES.end_session]));
  // Outside of the scope, which ends with the answer: this one goes on for minutes.
  app.use(http.createRoutes({ "GET /revocations": feed.answer }));
  app.use(oidc.responseRules);
  app.use(oidc.requestScope);
  app.use(createInteractionRoutes({ ...shared, ...interactionParts(config, services, oidc), knownBrowsers }));
  const { browserSessions, allowedClients } = oidc;
  const demoUrl = config.demo === undefined ? undefined : `http://localhost:${config.demo.appPort}`;
  const site = { mode: config.mode, demoUrl, factorPolicy: config.mfa.policy };
  app.use(createSelfServiceRoutes({ ...services, ...shared, ...site, browserSessions, allowedClients }));
  return { oidc, feed };
}

/** What the pages inside an authorization request work with, beside what all pages do. */
function interactionParts({ mfa }: Config, { clock, factors }: Services, { interactions }: Oidc) {
  return { interactions, clock, factors, trustedBrowserSeconds: mfa.trustedBrowserSeconds };
}
