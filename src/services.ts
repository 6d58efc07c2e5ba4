/**
 * Opens the stores and builds what stands on them: all that the command line needs. `compose.ts` adds the protocol, the
 * pages and the HTTP server.
 */
import {
  accountIdsAmong,
  type Accounts,
  type AccountsDependencies,
  createAccounts,
  createKnownDevices,
  createThrottle,
  findAccountById,
  type KnownDevices,
  type Throttle,
} from "./accounts/index.ts";
import { type Audit, type AuditChain, createAudit, createAuditChain } from "./audit/index.ts";
import { type BackUp, createBackUp } from "./backup/index.ts";
import { type Clients, createClients, findClientName } from "./clients/index.ts";
import type { Config } from "./config/index.ts";
import { type Clock, createAuthenticator, createKeySeals, createSealer, systemClock } from "./core/index.ts";
import { createDoctor, type Doctor } from "./doctor/index.ts";
import {
  createConfiguredSmtp,
  createMailLog,
  createMailOutbox,
  type MailObserver,
  type MailOutbox,
} from "./mail/index.ts";
import { createFactors, type Factors } from "./mfa/index.ts";
import { createConfirmationMails, tellPeople } from "./notices/index.ts";
import { createRunningNodes, type RunningNodes } from "./nodes/index.ts";
import { createLogger, type Logger } from "./observability/index.ts";
import {
  createProtocolCommands,
  createProtocolSessionsOf,
  createSigningKeyCommands,
  currentUserAgent,
  type ExternalKeys,
  forgetConsent,
  keyTimesOf,
  type ProtocolCommands,
  revocationFeedUrl,
  type SigningKeyCommands,
  signInSecondsMax,
} from "./oidc/index.ts";
import { createAddressPolicy, createOutbound } from "./outbound/index.ts";
import {
  createLogoutQueue,
  createRevocations,
  createSessions,
  describeDevice,
  type LogoutQueue,
  type Revocations,
  type Sessions,
} from "./sessions/index.ts";
import {
  asStoreFailure,
  connectRedis,
  createMigrations,
  type Database,
  type DataDirectory,
  lockDataDirectory,
  lockExistingData,
  type Migrations,
  openEmbedded,
  openPostgres,
  openRedis,
  type Redis,
} from "./storage/index.ts";
import { createWebhookLog, createWebhooks, type WebhookObserver, type Webhooks } from "./webhooks/index.ts";
import { NO_TELEMETRY, type Telemetry, traceAccounts, traceFactors } from "./telemetry.ts";

export interface Overrides {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /**
   * `forCommands`: a Redis that is away fails what needs it, and nothing else; the command line needs it seldom.
   * `untouched`: so does a Postgres that is away; no migration is applied whatever the settings say, and an embedded
   * database that is not there is not made.
   */
  readonly stores?: "required" | "forCommands" | "untouched";
  /** How many processes of this server share the machine; one when absent. */
  readonly workers?: number;
  /** Where signing keys lie, if not sealed in the database (docs/key-rotation.md). */
  readonly externalKeys?: ExternalKeys;
}

type Need = NonNullable<Overrides["stores"]>;

/** What is told of the services' work, where somebody listens. */
interface Observed {
  readonly telemetry?: Telemetry;
}

export interface Services {
  readonly database: Database;
  readonly redis: Redis | undefined;
  readonly migrations: Migrations;
  readonly audit: Audit;
  readonly auditChain: AuditChain;
  readonly accounts: Accounts;
  readonly knownDevices: KnownDevices;
  readonly throttle: Throttle;
  readonly factors: Factors;
  readonly clients: Clients;
  readonly protocol: ProtocolCommands;
  readonly sessions: Sessions;
  readonly revocations: Revocations;
  readonly logoutQueue: LogoutQueue;
  readonly mail: MailOutbox;
  /** Told of what becomes of mails. */
  readonly mailObserver: MailObserver;
  readonly webhooks: Webhooks;
  /** Told of what becomes of what webhooks are to hear. */
  readonly webhookObserver: WebhookObserver;
  readonly signingKeys: SigningKeyCommands;
  readonly nodes: RunningNodes;
  readonly doctor: Doctor;
  /** Secrets that keys are derived from, newest first; of the data directory in embedded mode. */
  readonly secrets: readonly string[];
  /** Of embedded data only. */
  readonly backUp: BackUp | undefined;
  readonly issuer: string;
  readonly clock: Clock;
  readonly logger: Logger;
  close(): Promise<void>;
}

/**
 * Opens the stores and what the command line works with. Embedded mode locks the data directory and applies migrations.
 *
 * @throws DataDirectoryLockedError, AppError STORE_UNAVAILABLE, DATABASE_NEWER, DATA_DIRECTORY_ABSENT, DATA_DIRECTORY_UNFINISHED
 */
export async function openServices(config: Config, overrides: Overrides & Observed = {}): Promise<Services> {
  const telemetry = overrides.telemetry ?? NO_TELEMETRY;
  const need = overrides.stores ?? "required";
  const clock = overrides.clock ?? systemClock;
  const logger = overrides.logger ?? createLogger({ level: config.logLevel });
  const lock = need === "untouched" ? lockExistingData : lockDataDirectory;
  const directory = config.mode === "embedded" ? lock(config.dataDirectory) : undefined;
  const closers: (() => unknown)[] = [() => directory?.release()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    const database = await openDatabase(config, { directory, logger, telemetry, need });
    closers.push(() => database.close());
    const migrations = createMigrations(database.db, database.patientDb);
    if (need !== "untouched") await prepareTables(config, { migrations, logger }).catch(rethrowStoreFailure);
    const redis = await openProtocolRedis(config, { logger, telemetry, need });
    closers.push(() => redis?.disconnect());
    // What an older secret of ours sealed in this directory still opens when LATCHKEY_SECRET is set later.
    const secrets = directory === undefined ? config.secrets : [...config.secrets, directory.secret];
    const { externalKeys, workers = 1 } = overrides;
    const ground = { database, redis, clock, logger, secrets, externalKeys, telemetry, workers };
    const services = buildServices(config, ground);
    // Apart from the requests' connections: one that waits for them would look like a node that has died.
    const nodes = createRunningNodes({ db: database.followingDb });
    const { signingKeys, webhooks, auditChain } = services;
    const smtp = createConfiguredSmtp(config, clock);
    const lookAtMailServer = smtp && (() => smtp.look());
    const looking = { nodes, signingKeys, webhooks, auditChain, lookAtMailServer };
    const doctor = createDoctor({ config, clock, database, redis, migrations, ...looking });
    const backUp = directory && createBackUpOf(config, { directory, database, migrations, clock });
    const stores = { database, redis, migrations, secrets };
    const { issuer } = config;
    return { ...services, ...stores, nodes, doctor, backUp, issuer, clock, logger, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** An older server may be restarted in the midst of an upgrade: whether it does harm, the newer version has noted. */
async function prepareTables(
  config: Config,
  { migrations, logger }: Pick<Services, "migrations" | "logger">,
): Promise<void> {
  if (config.migrations === "apply") await migrations.apply();
  const newer = await migrations.listNewer();
  if (newer.length > 0) {
    logger.warn({ migrations: newer }, "the database is of a newer version, which this one may run beside");
  }
}

function createBackUpOf(
  { issuer, secrets }: Config,
  ground: { readonly directory: DataDirectory } & Pick<Services, "database" | "migrations" | "clock">,
): BackUp {
  const { directory, database, migrations, clock } = ground;
  const { secret } = directory;
  return createBackUp({ db: database.db, migrations, clock, secret, issuer, needsLatchkeySecret: secrets.length > 0 });
}

interface Ground extends Pick<Services, "database" | "redis" | "clock" | "logger" | "secrets">, Required<Observed> {
  readonly externalKeys: ExternalKeys | undefined;
  readonly workers: number;
}

function buildServices(config: Config, ground: Ground) {
  const { db } = ground.database;
  const { redis, clock, secrets, externalKeys, telemetry } = ground;
  const { mail, mailObserver } = createMailsOn(config, ground);
  const { audit, auditChain } = createAuditOn(config, ground, mail);
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
    accountIdsAmong,
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
  const throttle = createThrottleOn(ground);
  const removeFactorsSince: RemoveFactorsSince = (...given) => factors.removeSince(...given);
  const accounts = createAccountsOn(config, ground, {
    removeFactorsSince,
    audit,
    throttle,
    mail,
    sessions,
    clients,
  });
  const knownDevices = createKnownDevices({ db, clock });
  const factors = createFactorsOn(config, ground, { audit, knownDevices });
  const times = keyTimesOf(config);
  const seals = createKeySeals(secrets, "signing-key");
  const signingKeys = createSigningKeyCommands({ db, clock, audit, revocations, seals, externalKeys, times });
  const people = { accounts, throttle, knownDevices, factors, mail, mailObserver };
  const deliveries = createWebhooksOf(config, ground, { audit, chain: auditChain });
  const recorded = { audit, auditChain, ...deliveries };
  return { ...people, ...recorded, clients, protocol, sessions, logoutQueue, revocations, signingKeys };
}

function createWebhooksOf(
  config: Config,
  { database: { db }, clock, secrets, telemetry, logger }: Ground,
  log: { readonly audit: Audit; readonly chain: AuditChain },
): { readonly webhooks: Webhooks; readonly webhookObserver: WebhookObserver } {
  const observer = telemetry.observeWebhooks(createWebhookLog(logger));
  const addresses = createAddressPolicy(config.outboundAllowedNetworks);
  const outbound = createOutbound({ policy: addresses });
  const sealer = createSealer(secrets);
  const webhooks = createWebhooks({ ...log, db, clock, sealer, addresses, outbound, observer });
  return { webhooks, webhookObserver: observer };
}

/** The audit log, of which people are told by mail what concerns them, and the chain that it is sealed into. */
function createAuditOn(
  { issuer, placeOf, auditRetentionDays: retentionDays }: Config,
  { database: { db, patientDb }, clock, secrets, telemetry }: Ground,
  mail: MailOutbox,
): { readonly audit: Audit; readonly auditChain: AuditChain } {
  const plainAudit = createAudit({ db, clock, currentDevice, onAppended: telemetry.metrics?.onAuditEvent });
  const notices = { mail, clock, findAccount: findAccountById, findClientName, currentDevice, placeOf };
  const seals = createKeySeals(secrets, "audit-key");
  const auditChain = createAuditChain({ db, patientDb, clock, seals, issuer, retentionDays, audit: plainAudit });
  return { audit: tellPeople(plainAudit, notices), auditChain };
}

type RemoveFactorsSince = AccountsDependencies["removeFactorsSince"];

function createMailsOn(config: Config, { database, clock, secrets, logger, telemetry }: Ground) {
  const mailObserver = telemetry.observeMails(createMailLog(logger));
  const isConfigured = config.mail.mode !== "off";
  const sealer = createSealer(secrets);
  const mail = createMailOutbox({ db: database.db, clock, sealer, isConfigured, observer: mailObserver });
  return { mail, mailObserver };
}

function createAccountsOn(
  { passwordHash, passwords, placeOf }: Config,
  { database, clock, secrets, logger, telemetry, workers }: Ground,
  parts: Pick<Services, "audit" | "throttle" | "mail" | "sessions" | "clients"> & {
    readonly removeFactorsSince: RemoveFactorsSince;
  },
): Accounts {
  const { audit, throttle, mail, sessions, clients, removeFactorsSince } = parts;
  const accounts = createAccounts({
    db: database.db,
    clock,
    audit,
    throttle,
    passwordHash,
    passwords: { ...passwords, onBreachListUnavailable: warnOfBreachList(logger) },
    processesOnMachine: workers,
    authenticator: createAuthenticator(secrets),
    removeFactorsSince,
    mails: createConfirmationMails({ mail, currentDevice, placeOf }),
    endSessions: (accountId, reason) => sessions.endAll(accountId, reason),
    forgetSessions: (tx, accountId) => sessions.forgetAccount(tx, accountId),
    clientIdsAmong: (tx, ids) => clients.holdIdsAmong(tx, ids),
  });
  return traceAccounts(telemetry, accounts);
}

/** The device that sent the request which is under way; nobody's where there is none, as for a command. */
function currentDevice(): string | undefined {
  return describeDevice(currentUserAgent());
}

function createThrottleOn({ database, clock, redis, logger }: Ground): Throttle {
  const reportFailure = (error: unknown): void => {
    const reason = String(asStoreFailure(error));
    logger.warn({ reason }, "redis does not count attempts: each process does for itself");
  };
  return createThrottle({ db: database.db, clock, redis, reportFailure });
}

function createFactorsOn(
  { issuer, brand }: Config,
  { database, clock, secrets, telemetry }: Ground,
  { audit, knownDevices }: Pick<Services, "audit" | "knownDevices">,
): Factors {
  const sealer = createSealer(secrets);
  const authenticator = createAuthenticator(secrets);
  const stores = { db: database.db, clock, audit, knownDevices };
  const factors = createFactors({ ...stores, sealer, authenticator, issuer, brandName: brand.name });
  return traceFactors(telemetry, factors);
}

function warnOfBreachList(logger: Logger) {
  return (reason: string): void =>
    logger.warn({ reason }, "could not ask the list of leaked passwords: a password was accepted without it");
}

interface Opening {
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  readonly need: Need;
}

async function openDatabase(
  config: Config,
  { directory, logger, telemetry, need }: Opening & { directory: DataDirectory | undefined },
): Promise<Database> {
  const observer = telemetry.stores;
  if (directory !== undefined) return openEmbedded(directory.databasePath, observer);
  const onConnectionError = (error: Error): void =>
    logger.warn({ reason: error.message }, "lost a connection to postgres");
  const { url = "", poolMax } = config.database;
  const database = openPostgres({ url, poolMax, onConnectionError, observer });
  try {
    if (need !== "untouched") await database.ping();
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function openProtocolRedis(config: Config, { logger, telemetry, need }: Opening): Promise<Redis | undefined> {
  if (config.redisUrl === undefined) return undefined;
  const onConnectionError = (error: Error): void => {
    logger.warn({ reason: error.message }, "lost the connection to redis");
  };
  const redis = openRedis({ url: config.redisUrl, onConnectionError, observer: telemetry.stores });
  try {
    for (const advice of await connectRedis(redis)) logger.warn({}, advice);
  } catch (error) {
    if (need !== "required") return redis;
    redis.disconnect();
    throw error;
  }
  return redis;
}

export function rethrowStoreFailure(error: unknown): never {
  throw asStoreFailure(error);
}
