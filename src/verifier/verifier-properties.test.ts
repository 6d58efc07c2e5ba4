import { isDeepStrictEqual } from "node:util";
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VerifierError } from "./errors.ts";
import { AUDIENCE, type FakeIssuer, startFakeIssuer } from "./fake-issuer-fixture.ts";
import { createVerifier } from "./index.ts";
import { systemPlatform } from "./platform.ts";
import type { Verifier } from "./verifier.ts";

/** Rounds of each property. The seed is printed with a failure. */
const ROUNDS = 1_500;
const SEED = Math.floor(systemPlatform.random() * 2 ** 32);

/** Mulberry32: small, and the same numbers for the same seed. */
function createRandom(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const pick = <Value>(values: readonly Value[]): Value => {
    const value = values[below(values.length)];
    if (value === undefined && values.length === 0) throw new Error("there is nothing to pick from");
    return value as Value;
  };
  return { next, below, pick, isTrue: (chance: number) => next() < chance };
}

type Random = ReturnType<typeof createRandom>;

const ALGORITHMS = ["ES256", "EdDSA", "RS256", "PS256"] as const;
const signers = await Promise.all(
  [...ALGORITHMS, "ES256" as const].map(async (alg, index) => {
    const keys = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${index}`;
    return { alg, kid, key: keys.privateKey, jwk: { ...(await exportJWK(keys.publicKey)), kid, alg, use: "sig" } };
  }),
);
/** The last key is nobody's. */
const published = { keys: signers.slice(0, -1).map(({ jwk }) => jwk) };
const keySet = createLocalJWKSet(published);

let issuer: FakeIssuer;
let verifier: Verifier;

beforeAll(async () => {
  issuer = await startFakeIssuer();
  const serveKeys: typeof fetch = async (input, init) =>
    addressOf(input).endsWith("/jwks") ? Response.json(published) : await fetch(input, init);
  const { client: _client, ...options } = issuer.options({ revocations: "none", fetch: serveKeys });
  verifier = createVerifier(options);
});

afterAll(async () => {
  await verifier.close();
  await issuer.close();
});

const ODD_VALUES = [undefined, null, "", " ", 0, -1, 1.5, 1e21, true, [], {}, ["x"], { x: 1 }, "0", "\u0000", "ünï"];

function arbitraryClaims(random: Random): Record<string, unknown> {
  const now = Math.floor(systemPlatform.nowMs() / 1_000);
  const claims: Record<string, unknown> = {
    iss: issuer.issuer,
    sub: random.pick(["alice", "bob", "reportsCli"]),
    aud: random.pick<unknown>([AUDIENCE, [AUDIENCE], ["https://billing.example.com", AUDIENCE]]),
    // Far enough from the limits that the time between two verifications does not matter.
    exp: now + random.pick([300, 60, 3_600, -60, 30]),
    iat: now - random.below(100),
    jti: `token-${random.below(1_000_000)}`,
    client_id: "shopWeb",
    ...(random.isTrue(0.3) ? { nbf: now + random.pick([-60, 0, 60]) } : {}),
    ...(random.isTrue(0.7) ? { scope: "orders:read", sid: "sign-in", acr: "pwd", amr: ["pwd"], auth_time: now } : {}),
  };
  if (random.isTrue(0.4)) claims[random.pick([...Object.keys(claims), "cnf", "constructor"])] = random.pick(ODD_VALUES);
  if (random.isTrue(0.1)) delete claims[random.pick(Object.keys(claims))];
  return claims;
}

function arbitraryHeader(random: Random, signer: (typeof signers)[number]): Record<string, unknown> & { alg: string } {
  const header: Record<string, unknown> & { alg: string } = { alg: signer.alg, typ: "at+jwt", kid: signer.kid };
  if (random.isTrue(0.1)) header["typ"] = random.pick<unknown>(["JWT", "AT+JWT", "application/at+jwt", 7, undefined]);
  if (random.isTrue(0.1)) header["kid"] = random.pick<unknown>(["key-0", "key-1", "key-99", 7, undefined]);
  if (random.isTrue(0.05)) header["extra"] = random.pick(ODD_VALUES);
  return header;
}

const CHARACTERS = "A B C X Y Z a b c x y z 0 1 8 9 - _ . = + / \n \u0000 é 💥".split(" ").concat(" ");

/** Changes, drops, adds and swaps characters. */
function mutate(text: string, random: Random): string {
  const characters = text.split("");
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const at = random.below(characters.length + 1);
    const [drops, adds] = random.pick<readonly [number, readonly string[]]>([
      [1, [random.pick(CHARACTERS)]],
      [1, []],
      [0, [random.pick(CHARACTERS)]],
      [random.below(40), []],
    ]);
    characters.splice(at, drops, ...adds);
  }
  return characters.join("");
}

async function arbitraryToken(random: Random): Promise<string> {
  const signer = random.pick(signers);
  const token = await new SignJWT(arbitraryClaims(random))
    .setProtectedHeader(arbitraryHeader(random, signer))
    .sign(signer.key);
  if (random.isTrue(0.15)) return mutate(token, random);
  if (random.isTrue(0.05)) {
    const other = await new SignJWT(arbitraryClaims(random)).setProtectedHeader({ alg: signer.alg }).sign(signer.key);
    const [mine, theirs] = [token.split("."), other.split(".")];
    return mine.map((part, index) => (random.isTrue(0.5) ? part : (theirs[index] ?? ""))).join(".");
  }
  return token;
}

function addressOf(input: Parameters<typeof fetch>[0]): string {
  return input instanceof Request ? input.url : input.toString();
}

const REQUIRED = ["exp", "iat", "jti", "sub", "client_id"];

async function josesClaims(token: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const options = { issuer: issuer.issuer, audience: AUDIENCE, typ: "at+jwt", requiredClaims: REQUIRED };
  const tolerant = { ...options, algorithms: [...ALGORITHMS], clockTolerance: 5 };
  return await jwtVerify(token, keySet, tolerant).then(
    ({ payload }) => payload,
    () => undefined,
  );
}

/** What jose leaves to its caller: the types of claims (RFC 9068), bindings, a name for the key, one way to write it. */
function isLeftToUs(token: string, claims: Readonly<Record<string, unknown>>): boolean {
  const texts = ["sub", "jti", "client_id"].every((name) => typeof claims[name] === "string" && claims[name] !== "");
  const optional = ["scope", "sid", "acr"].every((name) => ["string", "undefined"].includes(typeof claims[name]));
  const times = ["iat", "auth_time"].every((name) => ["number", "undefined"].includes(typeof claims[name]));
  const aud: unknown = claims["aud"];
  const lists = [aud, claims["amr"] ?? []].every(
    (list) => typeof list === "string" || (Array.isArray(list) && list.every((member) => typeof member === "string")),
  );
  const [header = ""] = token.split(".");
  const { kid } = JSON.parse(Buffer.from(header, "base64url").toString()) as { readonly kid?: unknown };
  const isPlain =
    /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) && typeof kid === "string" && typeof claims["amr"] !== "string";
  return !(texts && optional && times && lists && isPlain && claims["cnf"] === undefined);
}

async function outcomeOf(token: unknown, requirements?: unknown): Promise<Readonly<Record<string, unknown>> | string> {
  return await verifier.verify(token as string, requirements as undefined).then(
    ({ claims }) => claims,
    (error: unknown) => {
      if (error instanceof VerifierError) return error.code;
      throw new Error("something else than a VerifierError was thrown", { cause: error });
    },
  );
}

describe(`with seed ${SEED}`, () => {
  test("a token is accepted if jose accepts it, and with the same claims, save for what jose leaves to its caller", async () => {
    const random = createRandom(SEED);
    const counts = { accepted: 0, refused: 0, leftToUs: 0 };
    for (let round = 0; round < ROUNDS; round += 1) {
      const token = await arbitraryToken(random);
      const [theirs, ours, again] = [await josesClaims(token), await outcomeOf(token), await outcomeOf(token)];
      const label = `seed ${SEED}, round ${round}: ${JSON.stringify(ours)}`;
      expect(again, label).toEqual(ours);
      const verdict = theirs === undefined ? "refused" : isLeftToUs(token, theirs) ? "leftToUs" : "accepted";
      counts[verdict] += 1;
      const agrees = { refused: typeof ours === "string", leftToUs: true, accepted: isDeepStrictEqual(ours, theirs) };
      expect(agrees[verdict], label).toBe(true);
    }
    // The property would hold of a generator that makes nothing worth looking at, too.
    expect(Math.min(counts.accepted, counts.refused, counts.leftToUs), JSON.stringify(counts)).toBeGreaterThan(50);
  }, 60_000);

  test("whatever is given, nothing but a VerifierError is thrown", async () => {
    const random = createRandom(SEED);
    const hostile = {
      toString(): string {
        throw new Error("not mine");
      },
    };
    const proxy = new Proxy(
      {},
      {
        get() {
          throw new Error("not mine either");
        },
      },
    );
    const values = [...ODD_VALUES, Symbol("x"), 10n, Number.NaN, () => "x", hostile, proxy, new Date(0), new Map()];
    for (let round = 0; round < ROUNDS; round += 1) {
      const text = Array.from({ length: random.below(60) }, () => random.pick(CHARACTERS)).join("");
      const json = JSON.stringify(random.pick(ODD_VALUES)) ?? "undefined";
      const encoded = [json, json, text].map((part) => Buffer.from(part).toString("base64url")).join(".");
      const token = random.pick<unknown>([random.pick(values), text, encoded, mutate(encoded, random)]);
      const requirements = random.pick<unknown>([
        undefined,
        random.pick(values),
        { [random.pick(["scope", "acr", "maxAgeSeconds", "dpop", "other"])]: random.pick(values) },
        { dpop: { proof: random.pick<unknown>([text, encoded, ...values]), method: "GET", url: random.pick(values) } },
        { dpop: { proof: encoded, method: "GET", url: "https://orders.example.com/" } },
      ]);
      // Nothing that is tried here could be accepted.
      expect(await outcomeOf(token, requirements), `seed ${SEED}, round ${round}`).toMatch(/_/);
    }
  }, 60_000);

  test("nor is it with the answers of an issuer that has lost its mind", async () => {
    const random = createRandom(SEED);
    const token = await issuer.sign();
    for (let round = 0; round < 300; round += 1) {
      const body = (): string => random.pick([JSON.stringify(random.pick(ODD_VALUES)) ?? "", "{", '{"keys":[null]}']);
      const document = {
        issuer: issuer.issuer,
        jwks_uri: random.pick<unknown>([`${issuer.issuer}/jwks`, ...ODD_VALUES]),
        introspection_endpoint: random.pick<unknown>([`${issuer.issuer}/introspect`, ...ODD_VALUES]),
      };
      const keys = [
        random.pick<unknown>([published.keys[0], ...ODD_VALUES, { kty: "EC", kid: "key-1", crv: "P-256" }]),
      ];
      const mad: typeof fetch = async (input) => {
        if (random.isTrue(0.1)) throw new TypeError("fetch failed");
        const status = random.pick([200, 200, 200, 201, 401, 404, 500]);
        if (random.isTrue(0.2)) return new Response(body(), { status });
        if (addressOf(input).includes("well-known")) return Response.json(document, { status });
        return Response.json(addressOf(input).endsWith("/jwks") ? { keys } : random.pick(ODD_VALUES.slice(1)), {
          status,
        });
      };
      const lost = createVerifier(issuer.options({ revocations: "introspection", fetch: mad }));
      const outcome = await lost.verify(random.pick([token, "opaque"])).catch((error: unknown) => error);
      expect(outcome, `seed ${SEED}, round ${round}`).toBeInstanceOf(VerifierError);
      expect((outcome as VerifierError).code, `seed ${SEED}, round ${round}`).not.toBe("verifier_failed");
      await lost.close();
    }
  }, 60_000);
});
