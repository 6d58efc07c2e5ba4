import { Redis } from "ioredis";
import type { AdapterPayload } from "oidc-provider";
import { inBatches } from "../load/batches.ts";
import type { PersonState } from "../load/person-state.ts";
import type { StoreUrls } from "../stores.ts";
import type { PopulationCost } from "../variants/variant.ts";
import { createCustomaryAdapter } from "./adapter.ts";

/** Stores people through the customary adapter, call by call as the library makes them. */
export async function populateCustomary(stores: StoreUrls, people: Iterable<PersonState>): Promise<PopulationCost> {
  const redis = new Redis(stores.redisUrl, { enableAutoPipelining: true });
  const sessions = createCustomaryAdapter(redis, "Session");
  const grants = createCustomaryAdapter(redis, "Grant");
  const refreshTokens = createCustomaryAdapter(redis, "RefreshToken");
  try {
    await inBatches(people, async ({ session, grant, predecessor, refreshToken }) => {
      await sessions.upsert(idOf(session), session, lifetimeOf(session));
      await grants.upsert(idOf(grant), grant, lifetimeOf(grant));
      await refreshTokens.upsert(idOf(predecessor), predecessor, lifetimeOf(predecessor));
      await refreshTokens.consume(idOf(predecessor));
      await refreshTokens.upsert(idOf(refreshToken), refreshToken, lifetimeOf(refreshToken));
    });
    return { postgresBytes: 0 };
  } finally {
    redis.disconnect();
  }
}

function idOf({ jti }: AdapterPayload): string {
  if (jti === undefined) throw new Error("a stored document has no id");
  return jti;
}

function lifetimeOf({ exp }: AdapterPayload): number {
  if (exp === undefined) throw new Error("a stored document has no end");
  return exp - Math.floor(Date.now() / 1000);
}
