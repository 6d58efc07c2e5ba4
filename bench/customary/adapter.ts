import type { Redis } from "ioredis";
import type { Adapter, AdapterPayload } from "oidc-provider";

/** Models that are redeemed once: a hash of the document and a mark, so that consuming writes the mark alone. */
const CONSUMABLE = new Set([
  "AuthorizationCode",
  "RefreshToken",
  "DeviceCode",
  "BackchannelAuthenticationRequest",
  "PreAuthorizedCode",
  "PushedAuthorizationRequest",
]);

/** Models that die with their grant and are therefore listed under it. */
const GRANTABLE = new Set([
  "AccessToken",
  "AuthorizationCode",
  "RefreshToken",
  "DeviceCode",
  "BackchannelAuthenticationRequest",
  "PreAuthorizedCode",
]);

const keyOfUid = (uid: string): string => `oidc:uid:${uid}`;
const keyOfUserCode = (userCode: string): string => `oidc:userCode:${userCode}`;
const keyOfGrant = (grantId: string): string => `oidc:grant:${grantId}`;

/**
 * The Redis adapter that most deployments of oidc-provider run, in the shape in which it is usually found: one JSON
 * document per model, pointer keys, and a list per grant. Its known weaknesses (nothing is atomic, lists are never
 * trimmed) are left as they are, because this is what Latchkey is compared with.
 */
export function createCustomaryAdapter(redis: Redis, model: string): Adapter {
  const keyOf = (id: string): string => `oidc:${model}:${id}`;

  async function find(id: string): Promise<AdapterPayload | undefined> {
    if (!CONSUMABLE.has(model)) return parse(await redis.get(keyOf(id)));
    const { payload, consumed } = await redis.hgetall(keyOf(id));
    const document = parse(payload);
    if (document === undefined || consumed === undefined) return document;
    return { ...document, consumed: Number(consumed) };
  }

  async function findThrough(pointer: string): Promise<AdapterPayload | undefined> {
    const id = await redis.get(pointer);
    return id === null ? undefined : find(id);
  }

  return {
    find,
    findByUid: (uid) => findThrough(keyOfUid(uid)),
    findByUserCode: (userCode) => findThrough(keyOfUserCode(userCode)),
    async upsert(id, payload, expiresInSeconds = 0) {
      const key = keyOf(id);
      const document = JSON.stringify(payload);
      const write = redis.multi();
      if (CONSUMABLE.has(model)) {
        write.hset(key, { payload: document });
        if (expiresInSeconds > 0) write.expire(key, expiresInSeconds);
      } else if (expiresInSeconds > 0) write.set(key, document, "EX", expiresInSeconds);
      else write.set(key, document);
      if (GRANTABLE.has(model) && payload.grantId !== undefined) {
        const list = keyOfGrant(payload.grantId);
        write.rpush(list, key);
        if (expiresInSeconds > (await redis.ttl(list))) write.expire(list, expiresInSeconds);
      }
      if (payload.userCode !== undefined) write.set(keyOfUserCode(payload.userCode), id, "EX", expiresInSeconds);
      if (payload.uid !== undefined) write.set(keyOfUid(payload.uid), id, "EX", expiresInSeconds);
      await write.exec();
    },
    async consume(id) {
      await redis.hset(keyOf(id), "consumed", Math.floor(Date.now() / 1000));
    },
    async destroy(id) {
      await redis.del(keyOf(id));
    },
    async revokeByGrantId(grantId) {
      const list = keyOfGrant(grantId);
      const keys = await redis.lrange(list, 0, -1);
      await redis.del(...keys, list);
    },
  };
}

function parse(document: string | null | undefined): AdapterPayload | undefined {
  return document === null || document === undefined ? undefined : (JSON.parse(document) as AdapterPayload);
}
