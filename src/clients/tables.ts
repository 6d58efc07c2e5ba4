import { type ColumnType, type Kysely, type Selectable, sql } from "kysely";
import type { Db } from "../storage/index.ts";
import type { Client, ClientMetadata, ResourceServer } from "./client.ts";

/** A document that is written as JSON text and comes back parsed. */
type Json<Document> = ColumnType<Document, string, string>;

// An alias, not an interface: Kysely asks for a type with an index signature.
export type ClientTables = {
  readonly clients: {
    readonly id: string;
    name: string;
    metadata: Json<ClientMetadata>;
    created_at: Date;
    updated_at: Date;
    grants_since?: Date | null;
  };
  readonly client_secrets: {
    readonly client_id: string;
    readonly secret_sha256: Uint8Array;
    readonly created_at: Date;
    expires_at: Date | null;
  };
  readonly resource_servers: {
    readonly identifier: string;
    name: string;
    metadata: Json<ResourceServerMetadata>;
    created_at: Date;
    updated_at: Date;
  };
};

export type ResourceServerMetadata = Omit<ResourceServer, "identifier" | "name">;

/** The database, or a transaction on it, with this folder's tables. */
export type ClientDb = Kysely<ClientTables>;

export function withClientTables(db: Db): ClientDb {
  return db.withTables<ClientTables>();
}

/** The clients among `ids` (all of them when absent), each with the secrets that are active at `now`, by id. */
export async function selectClients(db: ClientDb, now: Date, ids?: readonly string[]): Promise<readonly Client[]> {
  const rows = await db
    .selectFrom("clients")
    .select(["clients.id", "clients.name", "clients.metadata", "clients.created_at", "clients.grants_since"])
    .leftJoin("client_secrets", (join) =>
      join
        .onRef("client_secrets.client_id", "=", "clients.id")
        .on((on) => on.or([on("expires_at", "is", null), on("expires_at", ">", now)])),
    )
    .select("client_secrets.secret_sha256")
    .$if(ids !== undefined, (query) => query.where("clients.id", "in", [...(ids ?? [])]))
    .orderBy("clients.id")
    // Newest first: those without an end come before those that are on their way out.
    .orderBy("client_secrets.expires_at", "desc")
    .orderBy("client_secrets.created_at", "desc")
    .execute();
  const byId = Map.groupBy(rows, ({ id }) => id);
  return [...byId.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [toClient([first, ...others])],
  );
}

interface JoinedRow extends Pick<
  Selectable<ClientTables["clients"]>,
  "id" | "name" | "metadata" | "created_at" | "grants_since"
> {
  readonly secret_sha256: Uint8Array | null;
}

/** One client from its rows, of which there is one per active secret and at least one. */
function toClient(rows: readonly [JoinedRow, ...JoinedRow[]]): Client {
  const [{ id, name, metadata, created_at: createdAt, grants_since: grantsSince }] = rows;
  const secretHashes = rows.flatMap(({ secret_sha256: hash }) => (hash === null ? [] : [Buffer.from(hash)]));
  return { ...metadata, id, name, createdAt, secretHashes, ...(grantsSince ? { grantsSince } : {}) };
}

/** A client that is told of sessions that ended. */
export interface LogoutRecipient {
  readonly clientId: string;
  readonly logoutUri: string;
}

export async function selectLogoutRecipients(
  db: ClientDb,
  ids: readonly string[],
): Promise<readonly LogoutRecipient[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom("clients")
    .select(["id", sql<string | null>`metadata ->> 'backchannelLogoutUri'`.as("uri")])
    .where("id", "in", [...ids])
    .execute();
  return rows.flatMap(({ id, uri }) => (uri === null ? [] : [{ clientId: id, logoutUri: uri }]));
}

/** What people read of a client; `undefined` when there is none, or it is ours. */
export async function findClientName(db: Db, id: string): Promise<string | undefined> {
  const row = await withClientTables(db).selectFrom("clients").select("name").where("id", "=", id).executeTakeFirst();
  return row?.name;
}

/** The resource servers among `identifiers` (all of them when absent), by identifier. */
export async function selectResourceServers(
  db: ClientDb,
  identifiers?: readonly string[],
): Promise<readonly ResourceServer[]> {
  const rows = await db
    .selectFrom("resource_servers")
    .select(["identifier", "name", "metadata"])
    .$if(identifiers !== undefined, (query) => query.where("identifier", "in", [...(identifiers ?? [])]))
    .orderBy("identifier")
    .execute();
  return rows.map(toResourceServer);
}

function toResourceServer(row: Pick<Selectable<ClientTables["resource_servers"]>, "identifier" | "name" | "metadata">) {
  return { ...row.metadata, identifier: row.identifier, name: row.name };
}
