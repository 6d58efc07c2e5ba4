import { createAudit } from "../../src/audit/index.ts";
import pg from "pg";
import type { AdapterPayload } from "oidc-provider";
import { systemClock } from "../../src/core/index.ts";
import {
  newGrantId,
  newRefreshFamily,
  newTag,
  newTaggedSecret,
  parseRefreshToken,
} from "../../src/oidc/adapter/identifiers.ts";
import {
  beginRefresh,
  completeRefresh,
  createDictionary,
  createProtocolState,
  createRedisStore,
  createProtocolSessions,
  newSuccessor,
  runInRequestScope,
} from "../../src/oidc/adapter/index.ts";
import { createRevocations, createSessions } from "../../src/sessions/index.ts";
import { connectRedis, createMigrations, openPostgres, openRedis } from "../../src/storage/index.ts";
import { shopWeb } from "../cast.ts";
import { inBatches } from "../load/batches.ts";
import type { PersonState } from "../load/person-state.ts";
import type { StoreUrls } from "../stores.ts";
import type { PopulationCost } from "../variants/variant.ts";

const FORTNIGHT_SECONDS = 14 * 24 * 3600;
const POOL_MAX = 10;

/**
 * Stores people through Latchkey's adapter, call by call as the library makes them: the same content as the other
 * variant's, under identifiers as ours are made.
 */
export async function populateLatchkey(stores: StoreUrls, people: Iterable<PersonState>): Promise<PopulationCost> {
  await using opened = new AsyncDisposableStack();
  const database = openPostgres({ url: stores.postgresUrl, poolMax: POOL_MAX, onConnectionError: report });
  opened.defer(() => database.close());
  await createMigrations(database.db).apply();
  const pool = new pg.Pool({ connectionString: stores.postgresUrl, max: POOL_MAX });
  opened.defer(() => pool.end());
  const redis = openRedis({ url: stores.redisUrl, onConnectionError: report });
  opened.defer(() => redis.disconnect());
  await connectRedis(redis);

  const { db } = database;
  const clock = systemClock;
  const store = createRedisStore({ redis, clock });
  const sessions = createSessions({
    db,
    clock,
    audit: createAudit({ db, clock }),
    revocations: createRevocations({ db, clock }),
    protocol: createProtocolSessions({
      store,
      clock,
      dictionary: createDictionary({ db }),
      idleSeconds: FORTNIGHT_SECONDS,
    }),
    session: { idleSeconds: FORTNIGHT_SECONDS, maxSeconds: FORTNIGHT_SECONDS, maxPerAccount: 0, limitPolicy: "refuse" },
    lifetimeSeconds: FORTNIGHT_SECONDS,
    forgetConsent: () => Promise.resolve(false),
    onSessionEnd: () => Promise.resolve(),
  });
  const state = createProtocolState({
    store,
    dictionary: createDictionary({ db }),
    sessions,
    clock: systemClock,
    sessionEndAt: (begunAtSeconds) => begunAtSeconds + FORTNIGHT_SECONDS,
    replaySeconds: 0,
    findGrantLimits: () => Promise.resolve({ since: 0, identityScopes: [] }),
    findClientMetadata: () => Promise.resolve(undefined),
  });
  await inBatches(people, async (person) => {
    await insertAccount(pool, person.session.accountId);
    await storePerson(state, person);
  });
  const { rows } = await pool.query<{ bytes: string }>("select pg_total_relation_size('sessions') as bytes");
  return { postgresBytes: Number(rows[0]?.bytes) };
}

/** Sign-ins refer to accounts. Accounts themselves are no protocol state and are not counted. */
async function insertAccount(pool: pg.Pool, id: string | undefined): Promise<void> {
  await pool.query(
    `insert into accounts (id, email, email_folded, name, password_hash, password_changed_at, created_at, updated_at)
     values ($1, $1, $1, 'A person', '', now(), now(), now())`,
    [id],
  );
}

function report(error: Error): void {
  console.error(`storage: a store broke off: ${error.message}`);
}

async function storePerson(state: ReturnType<typeof createProtocolState>, person: PersonState): Promise<void> {
  const [sessions, grants, refreshTokens] = ["Session", "Grant", "RefreshToken"].map(state.adapterFactory);
  const tag = newTag();
  const [sessionId, grantId, first] = [newTaggedSecret(tag), newGrantId(tag), newRefreshFamily(tag)];
  const firstParts = parseRefreshToken(first);
  if (!sessions || !grants || !refreshTokens || !firstParts) throw new Error("the adapter knows other models");
  const ours = (payload: AdapterPayload): AdapterPayload => ({ ...payload, grantId, sessionUid: tag });

  await runInRequestScope(async () => {
    await grants.upsert(grantId, { ...person.grant, jti: grantId }, FORTNIGHT_SECONDS);
    const authorizations = { [shopWeb.id]: { ...person.session.authorizations?.[shopWeb.id], grantId } };
    await sessions.upsert(sessionId, { ...person.session, jti: sessionId, uid: tag, authorizations });
    await state.flush();
  });
  await runInRequestScope(() => refreshTokens.upsert(first, ours(person.predecessor), FORTNIGHT_SECONDS));
  const second = await runInRequestScope(async () => {
    const underWay = beginRefresh({ binding: "", isReuse: false });
    const successor = newSuccessor(firstParts);
    await refreshTokens.consume(first);
    await refreshTokens.upsert(successor, ours(person.refreshToken), FORTNIGHT_SECONDS);
    await completeRefresh(underWay);
    return successor;
  });
  // Cheap is also a store that lost something on the way.
  const [used, living] = [await refreshTokens.find(first), await refreshTokens.find(second)];
  if (!used?.consumed || !living || living.consumed)
    throw new Error("a person's tokens were not stored as they should");
}
