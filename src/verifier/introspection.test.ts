import { generateKeyPair } from "jose";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { AUDIENCE, type FakeIssuer, startFakeIssuer } from "./fake-issuer-fixture.ts";
import { createVerifier } from "./index.ts";
import type { VerifierOptions } from "./options.ts";
import { codeOf, nowSeconds, refusalOf, startVerifier } from "./verifier-fixture.ts";
import type { Verifier } from "./verifier.ts";

let issuer: FakeIssuer;

beforeEach(async () => {
  issuer = await startFakeIssuer();
});

afterEach(async () => {
  await issuer.close();
});

const start = (changes: Partial<VerifierOptions> = {}): Verifier =>
  startVerifier(issuer, { revocations: "none", ...changes });

describe("introspection", () => {
  const strict = { revocations: "introspection" } as const;

  test("is asked at every call about a token whose signature is right", async () => {
    const verifier = start(strict);
    const token = await issuer.sign();
    issuer.setIntrospection((asked) => ({ active: asked === token, iss: issuer.issuer, aud: AUDIENCE, sub: "alice" }));
    expect(await codeOf(verifier.verify(token))).toBe("accepted");
    issuer.setIntrospection(() => ({ active: false }));
    expect(await codeOf(verifier.verify(token))).toBe("token_revoked");
    expect(issuer.countOf("/introspect")).toBe(2);
  });

  test("is not asked about what is forged or expired", async () => {
    const verifier = start(strict);
    const { privateKey } = await generateKeyPair("ES256");
    expect(await codeOf(verifier.verify(await issuer.sign({ key: privateKey })))).toBe("token_signature_invalid");
    expect(await codeOf(verifier.verify(await issuer.sign({ claims: { exp: 1 } })))).toBe("token_expired");
    expect(issuer.countOf("/introspect")).toBe(0);
  });

  test.each([
    ["active in words", { active: "true" }, "token_revoked"],
    ["about another issuer", { active: true, iss: "https://elsewhere.example.com" }, "token_inactive"],
    ["about another audience", { active: true, aud: ["https://billing.example.com"] }, "token_inactive"],
    ["about another token", { active: true, jti: "other" }, "token_inactive"],
    ["about another person", { active: true, sub: "mallory" }, "token_inactive"],
    ["that is no object", [], "issuer_unavailable"],
  ])("an answer %s is no yes", async (_what, answer, code) => {
    issuer.setIntrospection(() => answer);
    expect(await codeOf(start(strict).verify(await issuer.sign()))).toBe(code);
  });

  test("that fails refuses", async () => {
    const verifier = start(strict);
    const token = await issuer.sign();
    await verifier.ready();
    issuer.setAway(true);
    expect(await refusalOf(verifier.verify(token))).toMatchObject({ code: "issuer_unavailable", status: 503 });
  });

  test("with a wrong secret refuses, and says whose fault it is", async () => {
    const verifier = start({ ...strict, client: { id: "billingApi", secret: "wrong" } });
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("client_refused");
  });
});

describe("an opaque token", () => {
  const active = (): Readonly<Record<string, unknown>> => ({
    active: true,
    token_type: "Bearer",
    iss: issuer.issuer,
    aud: AUDIENCE,
    sub: "alice",
    client_id: "shopWeb",
    scope: "orders:read",
    iat: nowSeconds(),
    exp: nowSeconds() + 300,
    sid: "sign-in-tag-0001",
  });

  test("is what the issuer says it is, asked at every call", async () => {
    issuer.setIntrospection(active);
    const verifier = start();
    expect(await verifier.verify("opaque-token", { scope: "orders:read" })).toMatchObject({
      sub: "alice",
      tokenId: "",
      sessionId: "sign-in-tag-0001",
    });
    issuer.setIntrospection(() => ({ active: false }));
    expect(await codeOf(verifier.verify("opaque-token"))).toBe("token_inactive");
  });

  test("of a service has the client for its subject", async () => {
    issuer.setIntrospection(() => ({ ...active(), sub: undefined, sid: undefined }));
    expect(await start().verify("opaque-token")).toMatchObject({ sub: "shopWeb", clientId: "shopWeb" });
  });

  test.each([
    ["is a refresh token", { token_type: undefined }, "token_type_wrong"],
    ["is for another service", { aud: "https://billing.example.com" }, "token_audience_wrong"],
    ["is for nobody", { aud: undefined }, "token_audience_wrong"],
    ["is of another issuer", { iss: "https://elsewhere.example.com" }, "token_issuer_wrong"],
    ["has expired", { exp: 1 }, "token_expired"],
    ["has no end", { exp: undefined }, "token_claims_invalid"],
    ["is bound to a certificate", { cnf: { "x5t#S256": "abc" } }, "token_binding_unsupported"],
    ["is bound to a key", { cnf: { jkt: "abc" }, token_type: "DPoP" }, "dpop_proof_missing"],
    ["is bound, and nobody says to which key", { token_type: "DPoP" }, "token_binding_unsupported"],
  ])("that %s is refused", async (_what, changes, code) => {
    issuer.setIntrospection(() => ({ ...active(), ...changes }));
    expect(await codeOf(start().verify("opaque-token"))).toBe(code);
  });

  test("is refused where nobody can be asked", async () => {
    const { client: _client, ...options } = issuer.options({ revocations: "none" });
    const verifier = createVerifier(options);
    onTestFinished(() => verifier.close());
    expect(await codeOf(verifier.verify("opaque-token"))).toBe("token_opaque");
    expect(issuer.requests).toEqual([]);
  });

  test("that no token can look like is refused unasked", async () => {
    for (const token of ["two words", "a,b", "ünï", "x".repeat(16_385)]) {
      expect(await codeOf(start().verify(token))).toBe("token_malformed");
    }
    expect(issuer.requests).toEqual([]);
  });

  test("and many more of the kind do not all reach the issuer at once", async () => {
    const state = { waiting: 0, answer: (): void => undefined };
    const answered = new Promise<void>((resolve) => {
      state.answer = resolve;
    });
    const slow: typeof fetch = async (input, init) => {
      if (init?.method !== "POST") return await fetch(input, init);
      state.waiting += 1;
      await answered;
      return Response.json(active());
    };
    const verifier = start({ fetch: slow });
    const codes = Array.from({ length: 600 }, (_, index) => codeOf(verifier.verify(`opaque-${index}`)));
    expect(await Promise.race(codes)).toBe("issuer_unavailable");
    expect(state.waiting).toBeLessThanOrEqual(500);
    state.answer();
    expect((await Promise.all(codes)).filter((code) => code === "accepted")).toHaveLength(500);
    expect(await codeOf(verifier.verify("opaque-again"))).toBe("accepted");
  });

  test("of a revoked session is refused by the feed, whatever the issuer says", async () => {
    issuer.setIntrospection(active);
    issuer.feed.revoke({ kind: "session", value: "sign-in-tag-0001" });
    const verifier = start({ revocations: "feed" });
    await verifier.ready();
    expect(await codeOf(verifier.verify("opaque-token"))).toBe("token_revoked");
  });
});
