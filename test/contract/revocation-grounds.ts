import { type Database, openPostgres } from "../../src/storage/index.ts";
import { createTableDatabase, openTestEmbedded } from "../support/stores.ts";
import type { RevocationGround } from "./revocations.contract.ts";

/** Enough for many to wait for each other's locks at once, and not for a connection. */
const CONNECTIONS_MAX = 100;

/** A database of its own; every connection is what a node has, with a pool of its own. */
export async function openPostgresRevocations(
  poolMax = CONNECTIONS_MAX,
): Promise<RevocationGround & { readonly url: string }> {
  const testDatabase = await createTableDatabase();
  const { url } = testDatabase;
  const opened: Database[] = [];
  return {
    kind: "postgres",
    url,
    async connect() {
      const database = openPostgres({ url, poolMax, onConnectionError: () => undefined });
      opened.push(database);
      return database;
    },
    async close() {
      await Promise.all(opened.map((database) => database.close()));
      await testDatabase.drop();
    },
  };
}

/** All nodes are one: embedded Postgres has one connection. */
export async function openEmbeddedRevocations(): Promise<RevocationGround> {
  const database = await openTestEmbedded();
  return { kind: "embedded", connect: async () => database, close: () => database.close() };
}
