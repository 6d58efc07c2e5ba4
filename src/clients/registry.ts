import { sql } from "kysely";
import type { Audit } from "../audit/index.ts";
import type { Clock } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import { type ClientChanges, createClientChanges } from "./client-changes.ts";
import { createResourceServerChanges, type ResourceServerChanges } from "./resource-server-changes.ts";
import { InvalidSettingsError, type SettingsFault } from "./settings-faults.ts";
import { type ClientDb, withClientTables } from "./tables.ts";

/** What may be changed in one transaction. */
export interface Registry {
  readonly clients: ClientChanges;
  readonly resourceServers: ResourceServerChanges;
}

export interface RegistryDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly reservedIdentifiers?: readonly string[];
  /** Revokes the tokens of clients, as the last thing in the transaction that takes their access away. */
  readonly revokeClientTokens: (tx: Db, clientIds: readonly string[]) => Promise<void>;
  readonly accountIdsAmong: (tx: Db, ids: readonly string[]) => Promise<ReadonlySet<string>>;
}

export interface ChangeOptions {
  /** The code of the error when a client would name a resource server or a scope that does not exist. */
  readonly onBrokenReference: "CLIENT_INVALID" | "RESOURCE_SERVER_IN_USE" | "DECLARATION_INVALID";
  /** `rollBack` tries everything, checks included, and takes it back. */
  readonly ending?: "commit" | "rollBack";
}

/**
 * Runs `work` in one transaction and checks at its end that every resource server and scope that a client names exists.
 * Writers take turns, so that this holds for two of them at once as well; readers do not wait.
 */
export async function changeRegistry<Result>(
  deps: RegistryDeps,
  options: ChangeOptions,
  work: (registry: Registry) => Promise<Result>,
): Promise<Result> {
  const transaction = await deps.db.startTransaction().execute();
  try {
    await sql`lock table clients, resource_servers in share row exclusive mode`.execute(transaction);
    const revoked = new Set<string>();
    const revokeTokens = (clientId: string): void => void revoked.add(clientId);
    const added = new Set<string>();
    const noteAdded = (clientId: string): void => void added.add(clientId);
    const change = { transaction, clock: deps.clock, audit: deps.audit, revokeTokens, noteAdded };
    const result = await work({
      clients: createClientChanges(change),
      resourceServers: createResourceServerChanges(change, deps.reservedIdentifiers),
    });
    const taken = await deps.accountIdsAmong(transaction, [...added]);
    const faults = [...taken].map(wordTaken).concat(await findBrokenReferences(withClientTables(transaction)));
    if (faults.length > 0) throw new InvalidSettingsError(options.onBrokenReference, faults);
    if (revoked.size > 0) await deps.revokeClientTokens(transaction, [...revoked]);
    await (options.ending === "rollBack" ? transaction.rollback() : transaction.commit()).execute();
    return result;
  } catch (error) {
    // Where the connection is what broke, rolling back fails too, and the first error is the one that explains it.
    if (!transaction.isCommitted && !transaction.isRolledBack) {
      await transaction
        .rollback()
        .execute()
        .catch(() => undefined);
    }
    throw error;
  }
}

/** A client-credentials token carries the client's id as `sub`: it must never read as a person (RFC 9700, 4.15). */
function wordTaken(id: string): SettingsFault {
  return { key: `clients.${id}.id`, problem: "is the id of an account; choose another" };
}

const REFERENCES_SHOWN_MAX = 20;

async function findBrokenReferences(db: ClientDb): Promise<readonly SettingsFault[]> {
  return [...(await findBrokenAccess(db)), ...(await findBrokenIntrospection(db))];
}

async function findBrokenIntrospection(db: ClientDb): Promise<readonly SettingsFault[]> {
  const { rows } = await sql<{ client: string; identifier: string }>`
    select clients.id as client, identifier
      from clients
      cross join lateral jsonb_array_elements_text(clients.metadata -> 'introspects') as identifier
     where identifier not in (select resource_servers.identifier from resource_servers)
     order by 1, 2
     limit ${sql.lit(REFERENCES_SHOWN_MAX)}`.execute(db);
  return rows.map(({ client, identifier }) => ({
    key: `clients.${client}.introspects`,
    problem: `names ${identifier}, which is not a resource server`,
  }));
}

async function findBrokenAccess(db: ClientDb): Promise<readonly SettingsFault[]> {
  const { rows } = await sql<{ client: string; identifier: string; scope: string | null }>`
    select clients.id as client, access ->> 'identifier' as identifier,
           case when resource_servers.identifier is not null then scope end as scope
      from clients
      cross join lateral jsonb_array_elements(clients.metadata -> 'resources') as access
      left join lateral jsonb_array_elements_text(access -> 'scopes') as scope on true
      left join resource_servers on resource_servers.identifier = access ->> 'identifier'
     where resource_servers.identifier is null
        or scope is not null
           and not resource_servers.metadata -> 'scopes' @> jsonb_build_array(jsonb_build_object('name', scope))
     group by 1, 2, 3
     order by 1, 2, 3
     limit ${sql.lit(REFERENCES_SHOWN_MAX)}`.execute(db);
  return rows.map(({ client, identifier, scope }) => ({
    key: `clients.${client}.resources`,
    problem:
      scope === null
        ? `names ${identifier}, which is not a resource server`
        : `asks ${identifier} for ${scope}, which is not one of its scopes`,
  }));
}
