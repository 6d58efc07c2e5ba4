import type { KeyObject } from "node:crypto";
import type { SignatureAlgorithm } from "../../clients/index.ts";
import { type Clock, createFreshCache } from "../../core/index.ts";
import { type Db, guardStore } from "../../storage/index.ts";
import { importPublicKey, type KeyTables } from "./key-table.ts";

/** How long a key that another node created or withdrew may go unnoticed on this one. */
const CACHE_AGE_MS_MAX = 1_000;

export interface PublishedKey {
  readonly algorithm: SignatureAlgorithm;
  readonly publicKey: KeyObject;
}

/** The public halves of all keys that this deployment signs with, will sign with, or did. */
export interface PublishedKeys {
  /** `undefined` for a key that was never ours, or was withdrawn. @throws AppError STORE_UNAVAILABLE */
  find(kid: string): Promise<PublishedKey | undefined>;
}

/** Reads all of them at once, so that made-up key ids cost no look-up each. Needs no secret of ours. */
export function createPublishedKeys(deps: { readonly db: Db; readonly clock: Clock }): PublishedKeys {
  const db = deps.db.withTables<KeyTables>();
  const keys = createFreshCache({
    clock: deps.clock,
    ageMsMax: CACHE_AGE_MS_MAX,
    entriesMax: 1,
    load: () => guardStore(readAll),
  });

  async function readAll(): Promise<ReadonlyMap<string, PublishedKey>> {
    const rows = await db.selectFrom("oidc_signing_keys").select(["kid", "algorithm", "public_jwk"]).execute();
    return new Map(
      rows.map(({ kid, algorithm, public_jwk }) => [kid, { algorithm, publicKey: importPublicKey(public_jwk) }]),
    );
  }

  return {
    async find(kid) {
      return (await keys.get("all")).get(kid);
    },
  };
}
