import { type Clock, randomToken, sha256 } from "../core/index.ts";
import type { ClientDb } from "./tables.ts";

const SECRET_BYTES = 32;
const GIVEN_SECRETS_MAX = 5;

/**
 * Secrets of confidential clients, inside one transaction.
 *
 * A secret has 256 random bits, is shown once and stored as SHA-256: a slow hash would protect nothing more, and would
 * let anybody exhaust the server through the token endpoint.
 */
export interface ClientSecrets {
  /** Makes a secret; returns it for showing it once. */
  create(clientId: string): Promise<string>;
  /** Lets the secrets that are active now end after so many seconds; 0 ends them at once. */
  expireAll(clientId: string, afterSeconds: number): Promise<void>;
  /** Makes these hashes the only active ones, newest first; tells whether that changed anything. */
  replaceAll(clientId: string, hashes: readonly Buffer[]): Promise<boolean>;
}

export function createClientSecrets(deps: { readonly db: ClientDb; readonly clock: Clock }): ClientSecrets {
  const nowMs = deps.clock.nowMs();

  async function insert(clientId: string, hashes: readonly Buffer[]): Promise<void> {
    if (hashes.length === 0) return;
    // A millisecond apart, so that sorting by age keeps the order in which they were given.
    const rows = hashes.map((hash, index) => ({
      client_id: clientId,
      secret_sha256: hash,
      created_at: new Date(nowMs - index),
      expires_at: null,
    }));
    await deps.db.insertInto("client_secrets").values(rows).execute();
  }

  return {
    async create(clientId) {
      const secret = randomToken(SECRET_BYTES);
      await insert(clientId, [sha256(secret)]);
      return secret;
    },
    async expireAll(clientId, afterSeconds) {
      const expiresAt = new Date(nowMs + afterSeconds * 1000);
      await deps.db
        .updateTable("client_secrets")
        .set({ expires_at: expiresAt })
        .where("client_id", "=", clientId)
        // One that was to end earlier still does.
        .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", expiresAt)]))
        .execute();
      await deps.db
        .deleteFrom("client_secrets")
        .where("client_id", "=", clientId)
        .where("expires_at", "<=", new Date(nowMs))
        .execute();
    },
    async replaceAll(clientId, hashes) {
      const rows = await deps.db
        .selectFrom("client_secrets")
        .select(["secret_sha256", "expires_at"])
        .where("client_id", "=", clientId)
        .execute();
      const lasting = new Set(rows.filter((row) => row.expires_at === null).map((row) => hexOf(row.secret_sha256)));
      const isSame = rows.length === hashes.length && hashes.every((hash) => lasting.has(hexOf(hash)));
      if (isSame) return false;
      await deps.db.deleteFrom("client_secrets").where("client_id", "=", clientId).execute();
      await insert(clientId, hashes);
      return true;
    },
  };
}

/**
 * The secrets of a secret file: one a line, newest first, all of them accepted, so that one can be replaced without an
 * interruption. `undefined` when a line could not be a random secret.
 */
export function parseGivenSecrets(text: string): readonly string[] | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  const secrets = lines.filter((line) => line !== "");
  const isUsable = secrets.length > 0 && secrets.length <= GIVEN_SECRETS_MAX && secrets.every(looksRandom);
  return isUsable && new Set(secrets).size === secrets.length ? secrets : undefined;
}

/** 32 random bytes are 43 characters in base64url, and hardly ever fewer than 12 different ones. */
function looksRandom(secret: string): boolean {
  return /^[A-Za-z0-9._~+/=-]{43,200}$/.test(secret) && new Set(secret).size >= 12;
}

function hexOf(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}
