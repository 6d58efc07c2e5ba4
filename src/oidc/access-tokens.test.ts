import { generateKeyPairSync, KeyObject } from "node:crypto";
import { type CryptoKey, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import type { Account } from "../accounts/index.ts";
import type { Client } from "../clients/index.ts";
import { AppError } from "../core/index.ts";
import type { RevocableToken } from "../sessions/index.ts";
import { createAccessTokenVerifier, createTokenStanding, type VerifiedAccessToken } from "./access-tokens.ts";
import type { PublishedKey, PublishedKeys } from "./keys/index.ts";

const ISSUER = "https://id.example.com";
const NOW = 1_800_000_000;
const clock = { nowMs: () => NOW * 1000 };

const CLAIMS: JWTPayload = {
  iss: ISSUER,
  sub: "alice",
  aud: "https://orders.example.com",
  exp: NOW + 300,
  iat: NOW,
  jti: "grant.1",
  client_id: "shopWeb",
  sid: "session-1",
};

let es256Key: CryptoKey;
let rsaKey: KeyObject;
let keys: PublishedKeys;

beforeAll(async () => {
  const [es256, rs256] = [await generateKeyPair("ES256"), generateKeyPairSync("rsa", { modulusLength: 2_048 })];
  es256Key = es256.privateKey;
  rsaKey = rs256.privateKey;
  const published = new Map<string, PublishedKey>([
    ["es", { algorithm: "ES256", publicKey: KeyObject.from(es256.publicKey) }],
    ["rs", { algorithm: "RS256", publicKey: rs256.publicKey }],
  ]);
  keys = { find: async (kid) => published.get(kid) };
});

const verify = (token: string) => createAccessTokenVerifier({ issuer: ISSUER, clock, keys })(token);

const sign = (claims: object, header: object = {}): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: "es", ...header }).sign(es256Key);

describe("a JWT access token", () => {
  test("of ours is read, with the key that signed it; claims that are not ours are left out", async () => {
    const token = await sign({ ...CLAIMS, email: "alice@example.com" });
    expect(await verify(token)).toEqual({ kid: "es", claims: CLAIMS });
  });

  test.each([
    ["another type (RFC 8725, section 3.11)", CLAIMS, { typ: "JWT" }],
    ["no type", CLAIMS, { typ: undefined }],
    ["no key id", CLAIMS, { kid: undefined }],
    ["the id of another key", CLAIMS, { kid: "rs" }],
    ["the id of no key of ours", CLAIMS, { kid: "mallory" }],
    ["another issuer", { ...CLAIMS, iss: "https://mallory.example.com" }, {}],
    ["no end", { ...CLAIMS, exp: undefined }, {}],
    ["an end that is now", { ...CLAIMS, exp: NOW }, {}],
    ["a beginning that is to come", { ...CLAIMS, nbf: NOW + 1 }, {}],
    ["two audiences", { ...CLAIMS, aud: ["https://orders.example.com", "https://ledger.example.com"] }, {}],
    ["no subject", { ...CLAIMS, sub: undefined }, {}],
    ["no client", { ...CLAIMS, client_id: undefined }, {}],
    ["no id", { ...CLAIMS, jti: undefined }, {}],
    ["no time of issuance", { ...CLAIMS, iat: undefined }, {}],
    ["a session that is no text", { ...CLAIMS, sid: 7 }, {}],
    ["a binding to something else", { ...CLAIMS, cnf: { "x5t#S256": "thumbprint" } }, {}],
  ])("with %s is none of ours", async (_title, claims, header) => {
    expect(await verify(await sign(claims, header))).toBeUndefined();
  });

  test("whose end is in a second still counts", async () => {
    expect(await verify(await sign({ ...CLAIMS, exp: NOW + 1 }))).toBeDefined();
  });

  test("signed by our key with another algorithm than that key's is refused [RFC 8725 3.1]", async () => {
    const signed = (alg: "RS256" | "PS256"): Promise<string> =>
      new SignJWT(CLAIMS).setProtectedHeader({ alg, typ: "at+jwt", kid: "rs" }).sign(rsaKey);
    expect(await verify(await signed("RS256"))).toBeDefined();
    // The same RSA key can make either.
    expect(await verify(await signed("PS256"))).toBeUndefined();
  });

  test("cannot be judged while the keys cannot be read", async () => {
    const away = { find: () => Promise.reject(new AppError("STORE_UNAVAILABLE")) };
    const verifyAway = createAccessTokenVerifier({ issuer: ISSUER, clock, keys: away });
    await expect(verifyAway(await sign(CLAIMS))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });
});

describe("a verified token", () => {
  const token = (changes: object = {}): VerifiedAccessToken => ({
    kid: "es",
    claims: { ...(CLAIMS as VerifiedAccessToken["claims"]), ...changes },
  });

  interface World {
    readonly createdAt?: number | undefined;
    readonly account?: Partial<Account> | undefined;
    readonly revoked?: (token: RevocableToken) => boolean;
    readonly catchUp?: () => Promise<void>;
  }

  function standingIn({ revoked = () => false, catchUp = async () => undefined, ...world }: World) {
    const createdAt = "createdAt" in world ? world.createdAt : NOW - 1;
    const account = "account" in world ? world.account : { disabledAt: undefined };
    return createTokenStanding({
      log: { catchUp, isRevoked: revoked },
      clients: {
        findClient: async () =>
          createdAt === undefined ? undefined : ({ createdAt: new Date(createdAt * 1000) } as Client),
      },
      accounts: { find: async () => account as Account | undefined },
    });
  }

  test("is alive while its client and its person are there and nothing was revoked", async () => {
    expect(await standingIn({})(token())).toBe(true);
  });

  test.each<[string, World]>([
    ["its client is gone", { createdAt: undefined }],
    ["the id is that of a client that came later", { createdAt: NOW + 1 }],
    ["its person is gone", { account: undefined }],
    ["its person is disabled", { account: { disabledAt: new Date(NOW * 1000) } }],
  ])("is dead when %s", async (_title, world) => {
    expect(await standingIn(world)(token())).toBe(false);
  });

  test("of a service asks for no person", async () => {
    expect(await standingIn({ account: undefined })(token({ sub: "shopWeb", sid: undefined }))).toBe(true);
  });

  test("is looked up in the log as it is after reading on, with all that a record can name", async () => {
    const asked: (RevocableToken | "read on")[] = [];
    const isAlive = standingIn({
      catchUp: async () => void asked.push("read on"),
      revoked: (one) => {
        asked.push(one);
        return true;
      },
    });
    expect(await isAlive(token())).toBe(false);
    const named = { sid: "session-1", jti: "grant.1", sub: "alice", client_id: "shopWeb", iat: NOW, kid: "es" };
    expect(asked).toEqual(["read on", named]);
  });

  test("cannot be judged while the log cannot be read", async () => {
    const isAlive = standingIn({ catchUp: () => Promise.reject(new AppError("STORE_UNAVAILABLE")) });
    await expect(isAlive(token())).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });
});
