import { AppError } from "../core/index.ts";
import type { ResourceServer } from "./client.ts";
import type { ChangeDeps } from "./client-changes.ts";
import { type Difference, differencesBetween } from "./differences.ts";
import { InvalidSettingsError } from "./settings-faults.ts";
import { selectResourceServers, withClientTables } from "./tables.ts";

/** Changes to resource servers inside one transaction; each leaves its trace in the audit. */
export interface ResourceServerChanges {
  find(identifier: string): Promise<ResourceServer | undefined>;
  /** @throws InvalidSettingsError RESOURCE_SERVER_INVALID when the identifier is one of our own. */
  insert(resourceServer: ResourceServer): Promise<void>;
  /** Returns the keys that differed; nothing is written when none did. */
  replace(current: ResourceServer, next: ResourceServer): Promise<readonly Difference[]>;
  remove(identifier: string): Promise<void>;
}

export function createResourceServerChanges(
  { transaction, clock, audit }: ChangeDeps,
  reservedIdentifiers: readonly string[] = [],
): ResourceServerChanges {
  const db = withClientTables(transaction);
  const now = new Date(clock.nowMs());

  async function find(identifier: string): Promise<ResourceServer | undefined> {
    const [resourceServer] = await selectResourceServers(db, [identifier]);
    return resourceServer;
  }

  return {
    find,
    async insert({ identifier, name, ...metadata }) {
      if (reservedIdentifiers.includes(identifier)) throw reservedError();
      const row = { identifier, name, metadata: JSON.stringify(metadata), created_at: now, updated_at: now };
      await db.insertInto("resource_servers").values(row).execute();
      await audit.append(transaction, { type: "resource_server_created", data: { identifier } });
    },
    async replace(current, next) {
      const differences = differencesBetween(current, next);
      if (differences.length === 0) return differences;
      const { identifier, name, ...metadata } = next;
      const row = { name, metadata: JSON.stringify(metadata), updated_at: now };
      await db.updateTable("resource_servers").set(row).where("identifier", "=", identifier).execute();
      const keys = differences.map(({ key }) => key);
      await audit.append(transaction, { type: "resource_server_changed", data: { identifier, keys } });
      return differences;
    },
    async remove(identifier) {
      if ((await find(identifier)) === undefined) throw new AppError("RESOURCE_SERVER_NOT_FOUND");
      await db.deleteFrom("resource_servers").where("identifier", "=", identifier).execute();
      await audit.append(transaction, { type: "resource_server_removed", data: { identifier } });
    },
  };
}

function reservedError(): InvalidSettingsError {
  const problem = "is the address of Latchkey's own revocation feed; choose another";
  return new InvalidSettingsError("RESOURCE_SERVER_INVALID", [{ key: "identifier", problem }]);
}
