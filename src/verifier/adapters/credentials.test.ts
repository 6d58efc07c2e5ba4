import * as jose from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AUDIENCE, type FakeIssuer, startFakeIssuer } from "../fake-issuer-fixture.ts";
import { createVerifier, type Verifier } from "../index.ts";
import { authenticate as authenticateRequest } from "./authentication.ts";
import { authenticate, createResourceMetadata } from "./fetch.ts";

/** The adapters' seam to the verifier itself, with an issuer that has nothing to revoke. */
const METADATA = createResourceMetadata({ resource: AUDIENCE, authorizationServers: ["https://id.example.com"] });

let issuer: FakeIssuer;
let verifier: Verifier;
let keys: jose.GenerateKeyPairResult;
let jwk: jose.JWK;

beforeAll(async () => {
  issuer = await startFakeIssuer();
  verifier = createVerifier(issuer.options({ revocations: "none", resourceMetadataUrl: METADATA.url }));
  keys = await jose.generateKeyPair("ES256");
  jwk = await jose.exportJWK(keys.publicKey);
});

afterAll(async () => {
  await verifier.close();
  await issuer.close();
});

async function boundToken(): Promise<string> {
  const jkt = await jose.calculateJwkThumbprint(jwk);
  return await issuer.sign({ claims: { cnf: { jkt } } });
}

let count = 0;

/** A proof for one request, as RFC 9449, section 4.2, has it. */
async function proofFor(token: string, url: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  const ath = jose.base64url.encode(new Uint8Array(digest));
  return await new jose.SignJWT({ htm: "GET", htu: url, ath, jti: `proof-${(count += 1)}` })
    .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk })
    .setIssuedAt()
    .sign(keys.privateKey);
}

/** The request as it reaches us behind a proxy: under another name. */
async function call(headers: Readonly<Record<string, string>>): Promise<{ status: number; challenge: string }> {
  const request = new Request("http://10.0.0.7:8080/orders?page=2", { headers });
  const outcome = await authenticate(verifier, request, { origin: AUDIENCE });
  if (!(outcome instanceof Response)) return { status: 200, challenge: "" };
  return { status: outcome.status, challenge: outcome.headers.get("www-authenticate") ?? "" };
}

describe("a token that is bound to a key [RFC 9449 7]", () => {
  test("is accepted with a proof for this service as callers know it, once", async () => {
    const token = await boundToken();
    const headers = { authorization: `DPoP ${token}`, dpop: await proofFor(token, `${AUDIENCE}/orders`) };
    expect((await call(headers)).status).toBe(200);
    const replayed = await call(headers);
    expect(replayed.status).toBe(401);
    expect(replayed.challenge).toMatch(/^DPoP .*error="invalid_dpop_proof"/);
  });

  test("is refused with a proof for the address behind the proxy, or for another service", async () => {
    const token = await boundToken();
    for (const url of ["http://10.0.0.7:8080/orders", "https://mallory.example.com/orders"]) {
      const answer = await call({ authorization: `DPoP ${token}`, dpop: await proofFor(token, url) });
      expect(answer.challenge).toContain('error="invalid_dpop_proof"');
    }
  });

  test("is refused as a bearer token, proof or not [RFC 9449 7.2]", async () => {
    const token = await boundToken();
    const dpop = await proofFor(token, `${AUDIENCE}/orders`);
    for (const headers of [{ authorization: `Bearer ${token}`, dpop }, { authorization: `Bearer ${token}` }]) {
      expect(await call(headers)).toMatchObject({ status: 401, challenge: expect.stringMatching(/^DPoP algs=/) });
    }
  });

  test.each([
    { what: "without a proof", proofs: 0 },
    { what: "with two", proofs: 2 },
  ])("is refused $what [RFC 9449 4.3]", async ({ proofs }) => {
    const token = await boundToken();
    const list: string[] = [];
    while (list.length < proofs) list.push(await proofFor(token, `${AUDIENCE}/orders`));
    const headers = { authorization: `DPoP ${token}`, ...(proofs > 0 ? { dpop: list.join(", ") } : {}) };
    expect(await call(headers)).toMatchObject({ status: 401, challenge: expect.stringMatching(/^DPoP /) });
  });
});

describe("the address that a proof is made for", () => {
  async function statusOf(target: string, origin: string, own?: string): Promise<number | string> {
    const token = await boundToken();
    const dpop = await proofFor(token, `${AUDIENCE}/orders`);
    const headers = (name: string): readonly string[] => [name === "dpop" ? dpop : `DPoP ${token}`];
    const request = { method: "GET", origin, target, headers };
    const outcome = authenticateRequest(verifier, request, own === undefined ? {} : { origin: own });
    return await outcome.then(
      (settled) => (settled.type === "accepted" ? 200 : settled.refusal.status),
      (error: unknown) => String(error),
    );
  }

  test.each([
    ["a path", "/orders?page=2", AUDIENCE, undefined, 200],
    ["all of it", `${AUDIENCE}/orders?page=2`, AUDIENCE, undefined, 200],
    ["another host in the request line, which does not count", "http://evil.example/orders", AUDIENCE, undefined, 200],
    ["another path", "http://evil.example/pay", AUDIENCE, undefined, 401],
    ["a host that a path pretends to be", "//evil.example/orders", AUDIENCE, undefined, 401],
    ["what would end in the host", "@evil.example/orders", "https://api.example.com", undefined, 400],
    ["no path", "*", AUDIENCE, undefined, 400],
    ["all of it, with a port of our own", `http://evil.example/orders`, "http://h:80", AUDIENCE, 200],
    ["a Host that is none", "/orders", "http://a b<>", undefined, 400],
    ["a Host with a port that is none", "/orders", "http://localhost:99999", undefined, 400],
  ] as const)("is the path at our origin, whatever the request line and Host are: %s", async (...row) => {
    const [, target, origin, own, status] = row;
    expect(await statusOf(target, origin, own)).toBe(status);
  });

  test("is the route's failure when the route names no origin", async () => {
    expect(await statusOf("/orders", AUDIENCE, "orders.example.com")).toMatch(/requirements given to verify/);
  });
});

test("an ordinary token does not pass for a bound one [RFC 9449 7.1]", async () => {
  const token = await issuer.sign();
  const dpop = await proofFor(token, `${AUDIENCE}/orders`);
  expect((await call({ authorization: `DPoP ${token}`, dpop })).status).toBe(401);
  expect((await call({ authorization: `Bearer ${token}` })).status).toBe(200);
});

test("a request without a token is told both schemes, and where to read whom to ask [RFC 9728 5.1]", async () => {
  const { status, challenge } = await call({});
  expect(status).toBe(401);
  expect(challenge).toMatch(/^Bearer resource_metadata="[^"]+", DPoP algs="[^"]+", resource_metadata="/);
  expect(challenge).toContain(METADATA.url);
});
