import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import type { AdapterPayload } from "oidc-provider";
import { z } from "zod";
import type { StoreUrls } from "../stores.ts";
import type { Variant } from "../variants/variant.ts";
import { createLoad } from "./load.ts";

/** What the library stores about a person who signed in to one app and refreshed once. */
export interface PersonState {
  readonly session: AdapterPayload;
  readonly grant: AdapterPayload;
  /** The refresh token that was used: kept until it expires, to recognize a replay. */
  readonly predecessor: AdapterPayload;
  readonly refreshToken: AdapterPayload;
}

/** Fields that are different for everybody; all are random text of a fixed length. */
const IDENTIFYING_FIELDS = new Set(["jti", "uid", "sid", "grantId", "sessionUid", "accountId", "nonce"]);

/**
 * Lets one person really sign in and refresh, and reads back what the library gave to its store: payloads that are made
 * up by hand tend to be too small.
 *
 * @param customary the variant that stores payloads as they come.
 * @param stores empty.
 */
export async function recordPersonState(customary: Variant, stores: StoreUrls): Promise<PersonState> {
  await using started = new AsyncDisposableStack();
  const server = await customary.start({ stores, personCount: 1 });
  started.defer(() => server.stop());
  const redis = new Redis(stores.redisUrl);
  started.defer(() => redis.disconnect());
  const load = await createLoad(server, { personCount: 1, connectionsMax: 1 });
  started.defer(() => load.close());

  await load.perform("refresh", 0);
  const refreshTokens = await Promise.all((await redis.keys("oidc:RefreshToken:*")).map((key) => redis.hgetall(key)));
  return {
    session: parse(await readOnly(redis, "oidc:Session:*")),
    grant: parse(await readOnly(redis, "oidc:Grant:*")),
    predecessor: parse(refreshTokens.find(({ consumed }) => consumed !== undefined)?.["payload"]),
    refreshToken: parse(refreshTokens.find(({ consumed }) => consumed === undefined)?.["payload"]),
  };
}

/** The value of the one key that matches. */
async function readOnly(redis: Redis, pattern: string): Promise<string | null> {
  const [key, ...others] = await redis.keys(pattern);
  if (key === undefined || others.length > 0) throw new Error(`expected exactly one key ${pattern}`);
  return redis.get(key);
}

function parse(document: string | null | undefined): AdapterPayload {
  if (document === null || document === undefined) throw new Error("a sign-in left less in the store than expected");
  return z.record(z.string(), z.unknown()).parse(JSON.parse(document));
}

/** The same state for `count` other people: every identifier is fresh, and everything else is as recorded. */
export function* listPeopleLike(recorded: PersonState, count: number): Generator<PersonState> {
  const document = JSON.stringify(recorded);
  const lengths = new Map<string, number>();
  JSON.parse(document, (field: string, value: unknown) => {
    if (IDENTIFYING_FIELDS.has(field) && typeof value === "string") lengths.set(value, value.length);
    return value;
  });
  for (let index = 0; index < count; index += 1) {
    const fresh = new Map([...lengths].map(([value, length]) => [value, randomText(length)]));
    const renew = (_field: string, value: unknown): unknown =>
      typeof value === "string" ? (fresh.get(value) ?? value) : value;
    yield JSON.parse(document, renew) as PersonState;
  }
}

/** Text that stands for whole bytes, as identifiers made of random bytes do: whoever keeps those can keep fewer. */
function randomText(length: number): string {
  return randomBytes(Math.floor((length * 3) / 4))
    .toString("base64url")
    .padEnd(length, "A");
}
