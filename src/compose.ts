/**
 * The only constructor of things: opens the stores, builds what stands on them, and puts the server together.
 *
 * `openServices` is what the command line needs; `compose` adds the protocol, the pages and the HTTP server.
 */
import { type Accounts, createAccounts } from "./accounts/index.ts";
import { type Audit, createAudit } from "./audit/index.ts";
import { type Clients, createClients } from "./clients/index.ts";
import type { Config } from "./config/index.ts";
import {
  AppError,
  background,
  type Clock,
  createAuthenticator,
  createCookieSigner,
  createSealer,
  systemClock,
} from "./core/index.ts";
import * as http from "./http/index.ts";
import { createInteractionRoutes, createProtocolPages } from "./interaction/index.ts";
import { createHealth, createLogger, type Health, type Logger } from "./observability/index.ts";
import { createOidc, createSignInsOfAccounts, PROTOCOL_ROUTES, type SignInsOfAccounts } from "./oidc/index.ts";
import { createSelfServiceRoutes } from "./self-service/index.ts";
import { createServer, type HttpServer } from "./server.ts";
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

const SWEEP_EVERY_MS = 60_000;

export interface Overrides {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** `ifReachable`: a Redis that is away fails what needs it, and nothing else. The command line needs it seldom. */
  readonly redis?: "required" | "ifReachable";
}

export interface Services {
  readonly database: Database;
  readonly redis: Redis | undefined;
  readonly migrations: Migrations;
  readonly audit: Audit;
  readonly accounts: Accounts;
  readonly clients: Clients;
  readonly signIns: SignInsOfAccounts;
  /** Secrets that keys are derived from, newest first; of the data directory in embedded mode. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  close(): Promise<void>;
}

export interface Latchkey extends Services {
  /** @throws when the port is in use (`EADDRINUSE`). */
  listen(): Promise<void>;
  /** Stops taking requests, answers those under way, and closes the stores. */
  close(): Promise<void>;
}

/**
 * Opens the stores and what the command line works with. Embedded mode locks the data directory and applies migrations.
 *
 * @throws DataDirectoryLockedError, AppError STORE_UNAVAILABLE
 */
export async function openServices(config: Config, overrides: Overrides = {}): Promise<Services> {
  const clock = overrides.clock ?? systemClock;
  const logger = overrides.logger ?? createLogger({ level: config.logLevel });
  const directory = config.mode === "embedded" ? lockDataDirectory(config.dataDirectory) : undefined;
  const closers: (() => unknown)[] = [() => directory?.release()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    const database = await openDatabase(config, directory, logger);
    closers.push(() => database.close());
    const migrations = createMigrations(database.db, database.patientDb);
    if (config.migrations === "apply") await migrations.apply().catch(rethrowStoreFailure);
    const redis = await openProtocolRedis(config, { logger, need: overrides.redis ?? "required" });
    closers.push(() => redis?.disconnect());
    const services = buildServices(config, { database, redis, clock });
    // What an older secret of ours sealed in this directory still opens when LATCHKEY_SECRET is set later.
    const secrets = directory === undefined ? config.secrets : [...config.secrets, directory.secret];
    return { ...services, database, redis, migrations, secrets, clock, logger, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function buildServices(config: Config, stores: { database: Database; redis: Redis | undefined; clock: Clock }) {
  const { db } = stores.database;
  const { redis, clock } = stores;
  const audit = createAudit({ db, clock });
  const clients = createClients({ db, clock, audit });
  const signIns = createSignInsOfAccounts({ config, clock, db, redis, audit, clients });
  const endSessions = (accountId: string): Promise<void> => signIns.endSignIns(accountId);
  const accounts = createAccounts({ db, clock, audit, passwordHash: config.passwordHash, endSessions });
  return { audit, clients, signIns, accounts };
}

async function openDatabase(config: Config, directory: DataDirectory | undefined, logger: Logger): Promise<Database> {
  if (directory !== undefined) return openEmbedded(directory.databasePath);
  const onConnectionError = (error: Error): void =>
    logger.warn({ reason: error.message }, "lost a connection to postgres");
  const { url = "", poolMax } = config.database;
  const database = openPostgres({ url, poolMax, onConnectionError });
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
  { logger, need }: { logger: Logger; need: NonNullable<Overrides["redis"]> },
): Promise<Redis | undefined> {
  if (config.redisUrl === undefined) return undefined;
  const onConnectionError = (error: Error): void => {
    logger.warn({ reason: error.message }, "lost the connection to redis");
  };
  const redis = openRedis({ url: config.redisUrl, onConnectionError });
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
  const services = await openServices(config, overrides);
  try {
    await refusePendingMigrations(services.migrations);
    const health = createHealth(readinessChecks(services));
    const app = await composeApp(config, services, health);
    const server = createServer(app, config.listen);
    const sweeping = startSweeping(services);
    return {
      ...services,
      listen: () => server.listen(),
      async close() {
        clearInterval(sweeping);
        health.startDraining();
        await server.close();
        await services.close();
      },
    };
  } catch (error) {
    await services.close();
    throw error;
  }
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
async function composeApp(config: Config, services: Services, health: Health): Promise<HttpServer["app"]> {
  const { accounts, clients, clock, logger, secrets } = services;
  const { issuer, brand, links } = config;
  const assets = http.createAssets(brand);
  const views = http.createViews({ issuer, brand, links, catalogues: http.catalogues, assets });
  const failurePages = http.createFailurePages({ views, logger, clock, translateError: asStoreFailure });
  const csrf = http.createCsrf({ authenticator: createAuthenticator(secrets), issuer });
  const proxyTrust = http.createProxyTrust(config.trustedProxies);
  const pages = createProtocolPages({ views, failurePages, accounts });
  const { database, redis, audit } = services;
  const sealer = createSealer(secrets);
  const cookieSigner = createCookieSigner(secrets);
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
    pages,
  });
  const shared = { accounts, views, failurePages, csrf, registration: config.registration };
  const demoUrl = config.demo === undefined ? undefined : `http://localhost:${config.demo.appPort}`;

  const { app } = oidc;
  app.use(http.createRequestLog({ logger, clock }));
  app.use(http.createSecurityHeaders(issuer));
  app.use(failurePages.middleware);
  app.use(proxyTrust.middleware);
  app.use(health.middleware);
  app.use(http.createHostCheck(issuer));
  app.use(http.createBodyLimit());
  app.use(assets.middleware);
  app.use(http.createPostToGet([PROTOCOL_ROUTES.authorization, PROTOCOL_ROUTES.end_session]));
  app.use(oidc.requestScope);
  app.use(
    createInteractionRoutes({ ...shared, interactions: oidc.interactions, clientAddress: proxyTrust.clientAddress }),
  );
  app.use(createSelfServiceRoutes({ ...shared, sessions: oidc.browserSessions, mode: config.mode, demoUrl }));
  return app;
}

function startSweeping({ accounts, signIns, logger }: Services): NodeJS.Timeout {
  const sweep = async (): Promise<void> => {
    await signIns.sweep();
    await accounts.sweepThrottle();
  };
  return setInterval(() => {
    background(sweep(), (error) => logger.warn({ reason: String(asStoreFailure(error)) }, "could not sweep"));
  }, SWEEP_EVERY_MS).unref();
}
