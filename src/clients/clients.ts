import { sql } from "kysely";
import type { Audit } from "../audit/index.ts";
import { AppError, type Clock, createFreshCache, type FreshCache } from "../core/index.ts";
import type { AddressPolicy } from "../outbound/index.ts";
import type { Db } from "../storage/index.ts";
import { type AppliedChange, applyDeclarations } from "./apply-declarations.ts";
import type { Client, ResourceServer } from "./client.ts";
import type { ClientChanges, ClientWithSecret } from "./client-changes.ts";
import { type ClientSettings, isClientId, parseClientSettings } from "./client-settings.ts";
import { parseDeclarations, type SecretFiles } from "./declarations.ts";
import { changeRegistry, type ChangeOptions, type Registry } from "./registry.ts";
import type { ResourceServerChanges } from "./resource-server-changes.ts";
import { parseResourceServerSettings, type ResourceServerSettings } from "./resource-server-settings.ts";
import { InvalidSettingsError } from "./settings-faults.ts";
import {
  type ClientDb,
  type LogoutRecipient,
  selectClients,
  selectLogoutRecipients,
  selectResourceServers,
  withClientTables,
} from "./tables.ts";
import { resourceIdentifierFault } from "./uris.ts";

/** How long a change made on another node may go unnoticed on this one. */
const CACHE_AGE_MS_MAX = 1_000;
const CACHE_ENTRIES_MAX = 10_000;
const KEEP_OLD_SECRET_SECONDS_MAX = 90 * 24 * 60 * 60;

export interface Clients {
  /** Cached for at most a second; undefined for what cannot be a client's id, without asking the database. */
  findClient(id: string): Promise<Client | undefined>;
  /** @throws AppError CLIENT_NOT_FOUND */
  getClient(id: string): Promise<Client>;
  /** All clients, by id. */
  listClients(): Promise<readonly Client[]>;
  /**
   * The secret is there for a confidential client that uses one, and nobody can read it again.
   * @throws InvalidSettingsError CLIENT_INVALID; AppError CLIENT_EXISTS
   */
  addClient(settings: ClientSettings): Promise<ClientWithSecret>;
  /**
   * Replaces all settings: what is left out takes its default. A secret is made when the client had none and needs one.
   * @throws InvalidSettingsError CLIENT_INVALID; AppError CLIENT_NOT_FOUND
   */
  changeClient(id: string, settings: Omit<ClientSettings, "id">): Promise<ClientWithSecret>;
  /**
   * Makes a new secret; the ones before it are accepted for `keepOldForSeconds` more, 0 to 90 days. `revoke` is for a
   * secret that got out: the ones before it end at once, and with them all that was granted to the client so far.
   * @throws InvalidSettingsError CLIENT_INVALID; AppError CLIENT_NOT_FOUND, CLIENT_HAS_NO_SECRET
   */
  rotateSecret(id: string, options: SecretRotation): Promise<{ readonly secret: string }>;
  /** Revokes all that was granted to the client, and its tokens. It may ask anew. @throws AppError CLIENT_NOT_FOUND */
  revokeGrants(id: string): Promise<void>;
  /** @throws AppError CLIENT_NOT_FOUND */
  removeClient(id: string): Promise<void>;

  /** Those of the ids that clients have; until the transaction ends no client is added or changed. */
  holdIdsAmong(tx: Db, ids: readonly string[]): Promise<ReadonlySet<string>>;

  /** Those of the clients that are to be told of sessions that ended; read within the transaction, past the cache. */
  listLogoutRecipients(tx: Db, clientIds: readonly string[]): Promise<readonly LogoutRecipient[]>;

  /** Cached for at most a second. */
  findResourceServer(identifier: string): Promise<ResourceServer | undefined>;
  /** All resource servers, by identifier. */
  listResourceServers(): Promise<readonly ResourceServer[]>;
  /** @throws InvalidSettingsError RESOURCE_SERVER_INVALID; AppError RESOURCE_SERVER_EXISTS */
  addResourceServer(settings: ResourceServerSettings): Promise<ResourceServer>;
  /**
   * Replaces all settings: what is left out takes its default.
   * @throws InvalidSettingsError RESOURCE_SERVER_INVALID, RESOURCE_SERVER_IN_USE; AppError RESOURCE_SERVER_NOT_FOUND
   */
  changeResourceServer(
    identifier: string,
    settings: Omit<ResourceServerSettings, "identifier">,
  ): Promise<ResourceServer>;
  /** @throws InvalidSettingsError RESOURCE_SERVER_IN_USE; AppError RESOURCE_SERVER_NOT_FOUND */
  removeResourceServer(identifier: string): Promise<void>;

  /**
   * Makes clients and resource servers agree with a document (`resources:`, `clients:`), all or nothing, and returns
   * what was different. What the document does not name is left alone. `dryRun` tries it and takes it back.
   * @throws InvalidSettingsError DECLARATION_INVALID
   */
  applyDocument(document: unknown, options: ApplyOptions): Promise<readonly AppliedChange[]>;
}

export type SecretRotation = { readonly keepOldForSeconds: number } | "revoke";

export interface ApplyOptions {
  /** The contents of the files that `secretFile` keys name. */
  readonly secretFiles: SecretFiles;
  readonly mode: "apply" | "dryRun";
}

export interface ClientsDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  /** Where clients may have us send requests; the public internet only, when absent. */
  readonly addresses?: AddressPolicy;
  /** Audiences of our own, which no resource server may be registered with. */
  readonly reservedIdentifiers?: readonly string[];
  /** Revokes the tokens of clients within the transaction that takes their access away; called last in it. */
  readonly revokeClientTokens: (tx: Db, clientIds: readonly string[]) => Promise<void>;
  /** Those of the ids that accounts have: a token of a client must never read as one of a person. */
  readonly accountIdsAmong: (tx: Db, ids: readonly string[]) => Promise<ReadonlySet<string>>;
}

export function createClients(deps: ClientsDeps): Clients {
  const { clock } = deps;
  const db = withClientTables(deps.db);
  const cacheOf = <Value>(load: (key: string) => Promise<readonly Value[]>): FreshCache<Value | undefined> =>
    createFreshCache({
      clock,
      ageMsMax: CACHE_AGE_MS_MAX,
      entriesMax: CACHE_ENTRIES_MAX,
      load: async (key) => (await load(key))[0],
    });
  const cachedClients = cacheOf((id) => selectClients(db, dateOf(clock), [id]));
  const cachedResourceServers = cacheOf((identifier) => selectResourceServers(db, [identifier]));

  const change: Change = async (options, work) => {
    try {
      return await changeRegistry(deps, options, work);
    } finally {
      // Also after a failure: whether a commit whose answer was lost took place is not known.
      cachedClients.clear();
      cachedResourceServers.clear();
    }
  };

  return {
    ...createClientOperations({ db, clock, change, cache: cachedClients, addresses: deps.addresses }),
    ...createResourceServerOperations({ db, change, cache: cachedResourceServers }),
    async applyDocument(document, { secretFiles, mode }) {
      const declarations = parseDeclarations(document, secretFiles, deps.addresses);
      const ending = mode === "dryRun" ? "rollBack" : "commit";
      const changes = await change({ onBrokenReference: "DECLARATION_INVALID", ending }, (registry) =>
        applyDeclarations(registry, declarations),
      );
      // A secret that was taken back is no secret of anybody.
      return mode === "dryRun" ? changes.map((one) => ({ ...one, secret: undefined })) : changes;
    },
  };
}

type Change = <Result>(options: ChangeOptions, work: (registry: Registry) => Promise<Result>) => Promise<Result>;

interface OperationDeps<Value> {
  readonly db: ClientDb;
  readonly change: Change;
  readonly cache: FreshCache<Value | undefined>;
}

type ClientOperation =
  | "findClient"
  | "getClient"
  | "listClients"
  | "holdIdsAmong"
  | "listLogoutRecipients"
  | "addClient"
  | "changeClient"
  | "rotateSecret"
  | "revokeGrants"
  | "removeClient";

function createClientOperations(
  deps: OperationDeps<Client> & Pick<ClientsDeps, "clock"> & { readonly addresses: AddressPolicy | undefined },
): Pick<Clients, ClientOperation> {
  const changeClients = <Result>(work: (clients: ClientChanges) => Promise<Result>): Promise<Result> =>
    deps.change({ onBrokenReference: "CLIENT_INVALID" }, ({ clients }) => work(clients));
  const findClient = async (id: string): Promise<Client | undefined> =>
    deps.cache.has(id) || isClientId(id) ? deps.cache.get(id) : undefined;

  return {
    findClient,
    async getClient(id) {
      const client = await findClient(id);
      if (client === undefined) throw new AppError("CLIENT_NOT_FOUND");
      return client;
    },
    listClients: () => selectClients(deps.db, dateOf(deps.clock)),
    async holdIdsAmong(tx, ids) {
      await sql`lock table clients in share mode`.execute(tx);
      const found = await withClientTables(tx)
        .selectFrom("clients")
        .select("id")
        .where("id", "=", sql<string>`any(${ids})`)
        .execute();
      return new Set(found.map(({ id }) => id));
    },
    listLogoutRecipients: (tx, clientIds) => selectLogoutRecipients(withClientTables(tx), clientIds),
    async addClient(settings) {
      const parsed = parseClientSettings(settings, deps.addresses);
      return changeClients(async (clients) => {
        if ((await clients.find(parsed.id)) !== undefined) throw new AppError("CLIENT_EXISTS");
        return clients.insert(parsed);
      });
    },
    async changeClient(id, settings) {
      const parsed = parseClientSettings({ ...settings, id }, deps.addresses);
      return changeClients(async (clients) => {
        const current = await clients.find(id);
        if (current === undefined) throw new AppError("CLIENT_NOT_FOUND");
        const { client, secret } = await clients.replace(current, parsed);
        return { client, secret };
      });
    },
    async rotateSecret(id, rotation) {
      const keepOldForSeconds = rotation === "revoke" ? 0 : rotation.keepOldForSeconds;
      checkKeepOldFor(keepOldForSeconds);
      const secret = await changeClients(async (clients) => {
        const made = await clients.rotateSecret(id, keepOldForSeconds);
        if (rotation === "revoke") await clients.revokeGrants(id);
        return made;
      });
      return { secret };
    },
    revokeGrants: (id) => changeClients((clients) => clients.revokeGrants(id)),
    removeClient: (id) => changeClients((clients) => clients.remove(id)),
  };
}

type ResourceServerOperation =
  | "findResourceServer"
  | "listResourceServers"
  | "addResourceServer"
  | "changeResourceServer"
  | "removeResourceServer";

function createResourceServerOperations(deps: OperationDeps<ResourceServer>): Pick<Clients, ResourceServerOperation> {
  const changeResourceServers = <Result>(work: (changes: ResourceServerChanges) => Promise<Result>): Promise<Result> =>
    deps.change({ onBrokenReference: "RESOURCE_SERVER_IN_USE" }, ({ resourceServers }) => work(resourceServers));

  return {
    findResourceServer: async (identifier) =>
      deps.cache.has(identifier) || resourceIdentifierFault(identifier) === undefined
        ? deps.cache.get(identifier)
        : undefined,
    listResourceServers: () => selectResourceServers(deps.db),
    async addResourceServer(settings) {
      const parsed = parseResourceServerSettings(settings);
      return changeResourceServers(async (resourceServers) => {
        if ((await resourceServers.find(parsed.identifier)) !== undefined) throw new AppError("RESOURCE_SERVER_EXISTS");
        await resourceServers.insert(parsed);
        return parsed;
      });
    },
    async changeResourceServer(identifier, settings) {
      const parsed = parseResourceServerSettings({ ...settings, identifier });
      return changeResourceServers(async (resourceServers) => {
        const current = await resourceServers.find(identifier);
        if (current === undefined) throw new AppError("RESOURCE_SERVER_NOT_FOUND");
        await resourceServers.replace(current, parsed);
        return parsed;
      });
    },
    removeResourceServer: (identifier) =>
      changeResourceServers((resourceServers) => resourceServers.remove(identifier)),
  };
}

function dateOf(clock: Clock): Date {
  return new Date(clock.nowMs());
}

function checkKeepOldFor(seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= KEEP_OLD_SECRET_SECONDS_MAX) return;
  throw new InvalidSettingsError("CLIENT_INVALID", [
    { key: "keepOldForSeconds", problem: `is not a whole number from 0 to ${KEEP_OLD_SECRET_SECONDS_MAX}` },
  ]);
}
