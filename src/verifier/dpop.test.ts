import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { VerifierError } from "./errors.ts";
import { type FakeIssuer, startFakeIssuer } from "./fake-issuer-fixture.ts";
import { parseOptions, type VerifierOptions } from "./options.ts";
import { type Platform, systemPlatform } from "./platform.ts";
import { createUsedProofs } from "./used-proofs.ts";
import { createVerifierOn, type Verifier } from "./verifier.ts";

const URL_OF_ORDERS = "https://orders.example.com/v1/orders";
const alicesKeys = await generateKeyPair("ES256", { extractable: true });
const mallorysKeys = await generateKeyPair("ES256", { extractable: true });
const alicesJwk = await exportJWK(alicesKeys.publicKey);
const mallorysJwk = await exportJWK(mallorysKeys.publicKey);
const privateJwk = await exportJWK(alicesKeys.privateKey);
const alicesThumbprint = await calculateJwkThumbprint(alicesJwk);

let issuer: FakeIssuer;
let verifier: Verifier;
let boundToken: string;
const time = { laterMs: 0 };
const platform: Platform = { ...systemPlatform, nowMs: () => systemPlatform.nowMs() + time.laterMs };

beforeAll(async () => {
  issuer = await startFakeIssuer();
});

afterAll(async () => {
  await issuer.close();
});

beforeEach(async () => {
  time.laterMs = 0;
  verifier = start();
  boundToken = await issuer.sign({ claims: { cnf: { jkt: alicesThumbprint }, exp: nowSeconds() + 3_600 } });
});

function start(changes: Partial<VerifierOptions> = {}): Verifier {
  const started = createVerifierOn(platform, parseOptions(issuer.options({ revocations: "none", ...changes })));
  onTestFinished(() => started.close());
  return started;
}

const nowSeconds = (): number => Math.floor(platform.nowMs() / 1_000);
let proofs = 0;

async function ath(token: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  return Buffer.from(digest).toString("base64url");
}

interface ProofShape {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly keys?: typeof alicesKeys;
}

async function prove({ claims, header, keys = alicesKeys }: ProofShape = {}): Promise<string> {
  proofs += 1;
  const own = { jti: `proof-${proofs}`, htm: "GET", htu: URL_OF_ORDERS, iat: nowSeconds(), ath: await ath(boundToken) };
  return await new SignJWT({ ...own, ...claims })
    .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: alicesJwk, ...header })
    .sign(keys.privateKey);
}

async function present(proof: string, token = boundToken): Promise<VerifierError | undefined> {
  return await verifier.verify(token, { dpop: { proof, method: "GET", url: `${URL_OF_ORDERS}?page=2#top` } }).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof VerifierError) return error;
      throw error;
    },
  );
}

describe("a token bound to a key [RFC 9449 4.3, 7.1]", () => {
  test("is accepted with a proof", async () => {
    expect(await present(await prove())).toBeUndefined();
  });

  test("is refused without one, and the challenge says what is needed", async () => {
    const refusal = await verifier.verify(boundToken).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "dpop_proof_missing", status: 401 });
    expect((refusal as VerifierError).wwwAuthenticate).toMatch(/^DPoP algs="ES256 [^"]+", error="invalid_token"/);
  });

  test("is refused again when it was accepted before: a proof is for one request", async () => {
    await present(await prove());
    const refusal = await verifier.verify(boundToken).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "dpop_proof_missing" });
  });

  test.each<[string, ProofShape]>([
    ["by another key, shown in it", { keys: mallorysKeys, header: { jwk: mallorysJwk } }],
    ["by another key, hidden behind the right one", { keys: mallorysKeys }],
    ["by the right key, hidden behind another one", { header: { jwk: mallorysJwk } }],
    ["of another type", { header: { typ: "jwt" } }],
    ["of no type", { header: { typ: undefined } }],
    ["without its key", { header: { jwk: undefined } }],
    ["with a key that is none", { header: { jwk: "key" } }],
    ["with a private key", { header: { jwk: privateJwk } }],
    ["with a symmetric key", { header: { jwk: { kty: "oct", k: "c2VjcmV0" } } }],
    ["with a critical extension", { header: { crit: ["b64"], b64: true } }],
    ["for another method", { claims: { htm: "POST" } }],
    ["for another way to write the method", { claims: { htm: "get" } }],
    ["for another path", { claims: { htu: `${URL_OF_ORDERS}/7` } }],
    ["for another host", { claims: { htu: "https://mallory.example.com/v1/orders" } }],
    ["for another scheme", { claims: { htu: URL_OF_ORDERS.replace("https", "http") } }],
    ["for no address", { claims: { htu: undefined } }],
    ["for what is no address", { claims: { htu: "orders" } }],
    ["for another token", { claims: { ath: "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ" } }],
    ["for no token", { claims: { ath: undefined } }],
    ["without a name", { claims: { jti: undefined } }],
    ["with an empty name", { claims: { jti: "" } }],
    ["with a name that is too long", { claims: { jti: "x".repeat(257) } }],
    ["of no time", { claims: { iat: undefined } }],
    ["that is too old", { claims: { iat: nowSeconds() - 70 } }],
    ["from the future", { claims: { iat: nowSeconds() + 30 } }],
    ["that has expired", { claims: { exp: nowSeconds() - 10 } }],
  ])("is refused with a proof %s", async (_what, shape) => {
    expect(await present(await prove(shape))).toMatchObject({
      code: "dpop_proof_invalid",
      status: 401,
      error: "invalid_dpop_proof",
    });
  });

  test.each([
    ["of nothing", ""],
    ["that is no JWT", "a.b"],
    ["that is too long", `a.${"b".repeat(5_000)}.c`],
    ["that is two", "a.b.c, d.e.f"],
    ["that is the token itself", undefined],
  ])("is refused with a proof %s", async (_what, proof) => {
    expect(await present(proof ?? boundToken)).toMatchObject({ code: "dpop_proof_invalid" });
  });

  test("is refused with a proof whose algorithm is not accepted", async () => {
    verifier = start({ algorithms: ["ES256"] });
    const keys = await generateKeyPair("EdDSA", { extractable: true });
    const jwk = await exportJWK(keys.publicKey);
    const token = await issuer.sign({ claims: { cnf: { jkt: await calculateJwkThumbprint(jwk) } } });
    const proof = await prove({ header: { jwk, alg: "EdDSA" }, keys, claims: { ath: await ath(token) } });
    expect(await present(proof, token)).toMatchObject({ code: "dpop_proof_invalid" });
    verifier = start();
    expect(await present(proof, token)).toBeUndefined();
  });

  test.each([["HTTPS://ORDERS.example.com:443/v1/orders"], [`${URL_OF_ORDERS}?other=query#and-fragment`]])(
    "may be proved for %s, which is the same address",
    async (htu) => {
      expect(await present(await prove({ claims: { htu } }))).toBeUndefined();
    },
  );
});

describe("a proof", () => {
  test("works once [RFC 9449 11.1]", async () => {
    const proof = await prove();
    expect(await present(proof)).toBeUndefined();
    const refusal = await present(proof);
    expect(refusal).toMatchObject({ code: "dpop_proof_replayed", error: "invalid_dpop_proof" });
    expect(refusal?.wwwAuthenticate).toMatch(/^DPoP algs=/);
  });

  test("works once of twenty at the same time", async () => {
    const proof = await prove();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => present(proof)));
    expect(outcomes.filter((refusal) => refusal === undefined)).toHaveLength(1);
  });

  test("does not work again when it is forgotten: by then it is too old", async () => {
    const proof = await prove({ claims: { iat: nowSeconds() + 5 } });
    expect(await present(proof)).toBeUndefined();
    for (const laterMs of [60_000, 69_000, 70_500, 71_500, 80_000]) {
      time.laterMs = laterMs;
      expect(await present(proof)).toBeDefined();
    }
  });

  test("does not use up a name that another key's proof has", async () => {
    const claims = { jti: "the-same-name" };
    expect(await present(await prove({ claims }))).toBeUndefined();
    const jkt = await calculateJwkThumbprint(mallorysJwk);
    const token = await issuer.sign({ claims: { cnf: { jkt } } });
    const proof = await prove({
      keys: mallorysKeys,
      header: { jwk: mallorysJwk },
      claims: { ...claims, ath: await ath(token) },
    });
    expect(await present(proof, token)).toBeUndefined();
  });

  test("says nothing for a token that is not bound", async () => {
    const token = await issuer.sign();
    const refusal = await present(await prove({ claims: { ath: await ath(token) } }), token);
    expect(refusal).toMatchObject({ code: "dpop_token_unbound", error: "invalid_token" });
  });

  test("does not make up for a missing scope, and the challenge keeps the scheme", async () => {
    const refusal = await verifier
      .verify(boundToken, { scope: "orders:delete", dpop: { proof: await prove(), method: "GET", url: URL_OF_ORDERS } })
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "scope_insufficient", status: 403 });
    expect((refusal as VerifierError).wwwAuthenticate).toMatch(/^DPoP .*scope="orders:delete"$/);
  });
});

describe("the memory of used proofs", () => {
  test("is bounded, and full it refuses rather than forgets", async () => {
    const used = createUsedProofs({ platform, proofsMax: 2 });
    const expiresAt = nowSeconds() + 60;
    expect([await used.consume("a", expiresAt), await used.consume("b", expiresAt)]).toEqual([true, true]);
    await expect(used.consume("c", expiresAt)).rejects.toMatchObject({ code: "proofs_exhausted", status: 503 });
    expect(await used.consume("a", expiresAt)).toBe(false);
    time.laterMs = 61_000;
    expect(await used.consume("c", expiresAt + 61)).toBe(true);
    expect(used.size).toBe(1);
  });

  test("can be shared by several processes", async () => {
    const shared = createUsedProofs({ platform });
    const proof = await prove();
    verifier = start({ usedProofs: shared });
    expect(await present(proof)).toBeUndefined();
    verifier = start({ usedProofs: shared });
    expect(await present(proof)).toMatchObject({ code: "dpop_proof_replayed" });
  });

  test("that is away refuses", async () => {
    verifier = start({ usedProofs: { consume: async () => await Promise.reject(new Error("connection lost")) } });
    expect(await present(await prove())).toMatchObject({ code: "proofs_exhausted", status: 503 });
  });
});
