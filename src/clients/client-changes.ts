import type { Audit } from "../audit/index.ts";
import { AppError, type Clock } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import { type Client, type ClientMetadata, usesSecret } from "./client.ts";
import type { ParsedClient } from "./client-settings.ts";
import { createClientSecrets } from "./client-secrets.ts";
import { type Difference, differencesBetween } from "./differences.ts";
import { selectClients, withClientTables } from "./tables.ts";

/** A client as it is after a change, and its new secret, which nobody can read a second time. */
export interface ClientWithSecret {
  readonly client: Client;
  /** Absent when the change made none. */
  readonly secret: string | undefined;
}

/** Changes to clients inside one transaction; each leaves its trace in the audit. */
export interface ClientChanges {
  find(id: string): Promise<Client | undefined>;
  /** `givenSecrets` are SHA-256 hashes that stand in for a secret of our making. */
  insert(parsed: ParsedClient, givenSecrets?: readonly Buffer[]): Promise<ClientWithSecret>;
  replace(
    current: Client,
    parsed: ParsedClient,
    givenSecrets?: readonly Buffer[],
  ): Promise<ClientWithSecret & { readonly differences: readonly Difference[] }>;
  rotateSecret(id: string, keepOldForSeconds: number): Promise<string>;
  /** Revokes all that was granted to the client until now, and its tokens. */
  revokeGrants(id: string): Promise<void>;
  remove(id: string): Promise<void>;
}

export interface ChangeDeps {
  readonly transaction: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  /** Takes the client in among those whose tokens are revoked with this transaction. */
  readonly revokeTokens: (clientId: string) => void;
  /** Takes the client in among those whose ids are compared with those of people. */
  readonly noteAdded: (clientId: string) => void;
}

export function createClientChanges(deps: ChangeDeps): ClientChanges {
  const { transaction, clock, audit, revokeTokens } = deps;
  const db = withClientTables(transaction);
  const secrets = createClientSecrets({ db, clock });
  const now = new Date(clock.nowMs());

  async function find(id: string): Promise<Client | undefined> {
    const [client] = await selectClients(db, now, [id]);
    return client;
  }

  async function get(id: string): Promise<Client> {
    const client = await find(id);
    if (client === undefined) throw new AppError("CLIENT_NOT_FOUND");
    return client;
  }

  /** Brings the secrets in line with how the client authenticates; returns one that was made for it. */
  async function settleSecrets(client: Client, given: readonly Buffer[]): Promise<Settled> {
    const isNeeded = usesSecret(client.authMethod);
    if (!isNeeded || given.length > 0) {
      return { hasChanged: await secrets.replaceAll(client.id, isNeeded ? given : []), made: undefined };
    }
    const made = client.secretHashes.length > 0 ? undefined : await secrets.create(client.id);
    return { hasChanged: made !== undefined, made };
  }

  return {
    find,
    async insert({ id, name, metadata }, givenSecrets = []) {
      const row = { id, name, metadata: JSON.stringify(metadata), created_at: now, updated_at: now };
      await db.insertInto("clients").values(row).execute();
      deps.noteAdded(id);
      const { made } = await settleSecrets({ ...metadata, id, name, createdAt: now, secretHashes: [] }, givenSecrets);
      await audit.append(transaction, { type: "client_created", clientId: id });
      return { client: await get(id), secret: made };
    },
    async replace(current, { id, name, metadata }, givenSecrets = []) {
      const differences = differencesBetween(settingsOf(current), { ...withoutAbsent(metadata), name });
      if (differences.length > 0) {
        const row = { name, metadata: JSON.stringify(metadata), updated_at: now };
        await db.updateTable("clients").set(row).where("id", "=", id).execute();
        const keys = differences.map(({ key }) => key);
        await audit.append(transaction, { type: "client_changed", clientId: id, data: { keys } });
      }
      const { hasChanged, made } = await settleSecrets({ ...current, ...metadata }, givenSecrets);
      if (!hasChanged) return { client: await get(id), secret: undefined, differences };
      await audit.append(transaction, { type: "client_secret_rotated", clientId: id });
      const secretDifference: Difference = { key: "secret", from: undefined, to: "replaced" };
      return { client: await get(id), secret: made, differences: [...differences, secretDifference] };
    },
    async rotateSecret(id, keepOldForSeconds) {
      const client = await get(id);
      if (!usesSecret(client.authMethod)) {
        throw new AppError("CLIENT_HAS_NO_SECRET", { detail: `its authMethod is ${client.authMethod}` });
      }
      await secrets.expireAll(id, keepOldForSeconds);
      const secret = await secrets.create(id);
      await audit.append(transaction, { type: "client_secret_rotated", clientId: id, data: { keepOldForSeconds } });
      return secret;
    },
    async revokeGrants(id) {
      await get(id);
      await db.updateTable("clients").set({ grants_since: now }).where("id", "=", id).execute();
      await audit.append(transaction, { type: "client_grants_revoked", clientId: id });
      revokeTokens(id);
    },
    async remove(id) {
      await get(id);
      await db.deleteFrom("clients").where("id", "=", id).execute();
      await audit.append(transaction, { type: "client_removed", clientId: id });
      revokeTokens(id);
    },
  };
}

interface Settled {
  readonly hasChanged: boolean;
  readonly made: string | undefined;
}

function settingsOf(client: Client): object {
  const { id: _id, secretHashes: _secrets, createdAt: _created, grantsSince: _since, ...settings } = client;
  return settings;
}

/** As the database gives it back: a key without a value is not there. */
function withoutAbsent(metadata: ClientMetadata): object {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined));
}
