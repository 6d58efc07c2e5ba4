import { generateKeyPair, UnsecuredJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { VerifierError } from "./errors.ts";
import { AUDIENCE, type FakeIssuer, startFakeIssuer, type TokenShape } from "./fake-issuer-fixture.ts";
import type { VerifierOptions } from "./options.ts";
import { type Platform, systemPlatform } from "./platform.ts";
import { codeOf, nowSeconds, refusalOf, startVerifier } from "./verifier-fixture.ts";
import type { Verifier } from "./verifier.ts";

const time = { laterMs: 0 };
const platform: Platform = {
  ...systemPlatform,
  nowMs: () => systemPlatform.nowMs() + time.laterMs,
  monotonicMs: () => systemPlatform.monotonicMs() + time.laterMs,
};
let issuer: FakeIssuer;

beforeEach(async () => {
  issuer = await startFakeIssuer();
  time.laterMs = 0;
});

afterEach(async () => {
  await issuer.close();
});

const start = (changes: Partial<VerifierOptions> = {}): Verifier =>
  startVerifier(issuer, { revocations: "none", platform, ...changes });

describe("a token", () => {
  test("is described as it is", async () => {
    const token = await start().verify(await issuer.sign());
    expect(token).toMatchObject({
      sub: "alice",
      clientId: "shopWeb",
      scopes: ["orders:read", "orders:write"],
      tokenId: "sign-in-tag-0001grant001.token01",
      sessionId: "sign-in-tag-0001",
      acr: "urn:latchkey:password",
      amr: ["pwd"],
      proofKeyThumbprint: undefined,
    });
    expect(token.claims["aud"]).toBe(AUDIENCE);
  });

  test("of a service carries no session and no sign-in", async () => {
    const claims = { sub: "reportsCli", client_id: "reportsCli", sid: undefined, auth_time: undefined, acr: undefined };
    const token = await start().verify(await issuer.sign({ claims: { ...claims, amr: undefined, jti: "plain" } }));
    expect(token).toMatchObject({ sub: "reportsCli", sessionId: undefined, authTime: undefined, amr: [] });
  });

  test("is frozen throughout, because calls share it", async () => {
    const token = await start().verify(await issuer.sign());
    expect(() => Object.assign(token, { sub: "mallory" })).toThrow(TypeError);
    expect(() => Object.assign(token.claims["amr"] as object, { 0: "hwk" })).toThrow(TypeError);
    expect(() => (token.scopes as string[]).push("admin")).toThrow(TypeError);
  });

  const now = nowSeconds();
  test.each<[string, TokenShape]>([
    ["token_type_wrong", { header: { typ: "JWT" } }],
    ["token_type_wrong", { header: { typ: "logout+jwt" } }],
    ["token_type_wrong", { header: { typ: undefined } }],
    ["token_key_unknown", { header: { kid: "key-2" } }],
    ["token_malformed", { header: { kid: undefined } }],
    ["token_malformed", { header: { crit: ["b64"], b64: true } }],
    ["token_issuer_wrong", { claims: { iss: "https://elsewhere.example.com" } }],
    ["token_claims_invalid", { claims: { iss: "" } }],
    ["token_claims_invalid", { claims: { iss: undefined } }],
    ["token_audience_wrong", { claims: { aud: "https://billing.example.com" } }],
    ["token_audience_wrong", { claims: { aud: [] } }],
    ["token_audience_wrong", { claims: { aud: undefined } }],
    ["token_claims_invalid", { claims: { aud: 7 } }],
    ["token_expired", { claims: { exp: now - 10 } }],
    ["token_not_yet_valid", { claims: { nbf: now + 60 } }],
    ["token_claims_invalid", { claims: { exp: undefined } }],
    ["token_claims_invalid", { claims: { iat: undefined } }],
    ["token_claims_invalid", { claims: { sub: undefined } }],
    ["token_claims_invalid", { claims: { sub: "" } }],
    ["token_claims_invalid", { claims: { jti: undefined } }],
    ["token_claims_invalid", { claims: { client_id: undefined } }],
    ["token_claims_invalid", { claims: { sid: 5 } }],
    ["token_claims_invalid", { claims: { auth_time: "yesterday" } }],
    ["token_claims_invalid", { claims: { acr: {} } }],
    ["token_claims_invalid", { claims: { amr: "pwd" } }],
    ["token_claims_invalid", { claims: { scope: ["orders:read"] } }],
    ["token_binding_unsupported", { claims: { cnf: { "x5t#S256": "abc" } } }],
    ["token_binding_unsupported", { claims: { cnf: { jkt: "abc", "x5t#S256": "abc" } } }],
    ["token_binding_unsupported", { claims: { cnf: {} } }],
    ["token_binding_unsupported", { claims: { cnf: "abc" } }],
    ["dpop_proof_missing", { claims: { cnf: { jkt: "abc" } } }],
  ])("is refused with %s if %j", async (code, shape) => {
    expect(await codeOf(start().verify(await issuer.sign(shape)))).toBe(code);
  });

  test.each([["at+jwt"], ["AT+JWT"], ["application/at+jwt"]])("may call itself %s (RFC 9068)", async (typ) => {
    expect(await codeOf(start().verify(await issuer.sign({ header: { typ } })))).toBe("accepted");
  });

  test("may name several audiences", async () => {
    const claims = { aud: ["https://billing.example.com", AUDIENCE] };
    expect(await codeOf(start().verify(await issuer.sign({ claims })))).toBe("accepted");
  });

  test.each([
    [{ exp: nowSeconds() - 2 }, "accepted"],
    [{ exp: nowSeconds() - 7 }, "token_expired"],
    [{ nbf: nowSeconds() + 3 }, "accepted"],
    [{ nbf: nowSeconds() + 9 }, "token_not_yet_valid"],
  ])("with %j is %s: clocks may differ by five seconds", async (claims, outcome) => {
    expect(await codeOf(start().verify(await issuer.sign({ claims })))).toBe(outcome);
  });
});

describe("a forged token [ASVS 9.1.2]", () => {
  test("without a signature is refused", async () => {
    const token = new UnsecuredJWT({ sub: "alice", aud: AUDIENCE, iss: issuer.issuer }).encode();
    expect(await codeOf(start().verify(token))).toBe("token_algorithm_refused");
    const [, claims] = (await issuer.sign()).split(".");
    const header = btoa(JSON.stringify({ alg: "none", typ: "at+jwt", kid: "key-1" })).replace(/=+$/, "");
    expect(await codeOf(start().verify(`${header}.${claims}.AAAA`))).toBe("token_algorithm_refused");
  });

  test("with an HMAC by a public value is refused", async () => {
    const header = { alg: "HS256" };
    const token = await issuer.sign({ header, key: new TextEncoder().encode("the public key, as everybody knows it") });
    expect(await codeOf(start().verify(token))).toBe("token_algorithm_refused");
  });

  test("by another key is refused, though it brings that key with it", async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = await crypto.subtle.exportKey("jwk", publicKey);
    const header = { jwk, jku: "https://mallory.example.com/jwks", x5u: "https://mallory.example.com/x5u" };
    expect(await codeOf(start().verify(await issuer.sign({ header, key: privateKey })))).toBe(
      "token_signature_invalid",
    );
  });

  test("with one byte changed is refused", async () => {
    const token = await issuer.sign();
    const [header = "", claims = "", signature = ""] = token.split(".");
    const changed = (text: string): string => (text.startsWith("B") ? `C${text.slice(1)}` : `B${text.slice(1)}`);
    const verifier = start();
    expect(await codeOf(verifier.verify(`${header}.${claims}.${changed(signature)}`))).toBe("token_signature_invalid");
    expect(await codeOf(verifier.verify(`${header}.${changed(claims)}.${signature}`))).toBe("token_signature_invalid");
    expect(await codeOf(verifier.verify(token))).toBe("accepted");
  });

  test("no HMAC and no `none` can be allowed", () => {
    for (const algorithm of ["none", "HS256", "HS512", "ES256K"]) {
      expect(() => start({ algorithms: ["ES256", algorithm] })).toThrow(VerifierError);
    }
  });

  test("an algorithm outside the list is refused before its key is looked for", async () => {
    const verifier = start({ algorithms: ["EdDSA"] });
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("token_algorithm_refused");
    expect(issuer.requests).toEqual([]);
  });
});

describe("keys", () => {
  test("are loaded once, however many calls need them at once", async () => {
    const verifier = start();
    const token = await issuer.sign();
    await Promise.all(Array.from({ length: 20 }, () => verifier.verify(token)));
    expect(issuer.requests).toEqual(["GET /.well-known/openid-configuration", "GET /jwks"]);
  });

  test("are loaded anew for a name that is not known, at most once in ten seconds", async () => {
    const verifier = start();
    await verifier.ready();
    await issuer.rotate("key-2", { keepsFormer: true });
    const tokens = [await issuer.sign(), await issuer.sign({ claims: { jti: "another" } })];
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(issuer.countOf("/jwks")).toBe(2);
    const forged = await issuer.sign({ header: { kid: "made-up" } });
    expect(await codeOf(verifier.verify(forged))).toBe("token_key_unknown");
    expect(issuer.countOf("/jwks")).toBe(2);
    time.laterMs = 10_001;
    expect(await codeOf(verifier.verify(forged))).toBe("token_key_unknown");
    expect(issuer.countOf("/jwks")).toBe(3);
  });

  test("stay while the issuer is away", async () => {
    const verifier = start();
    await verifier.ready();
    issuer.setAway(true);
    time.laterMs = 3_600_000;
    const exp = nowSeconds() + 7_200;
    expect(await codeOf(verifier.verify(await issuer.sign({ claims: { exp } })))).toBe("accepted");
    expect(issuer.countOf("/jwks")).toBe(2);
    expect(await codeOf(verifier.verify(await issuer.sign({ claims: { exp, jti: "another" } })))).toBe("accepted");
    expect(issuer.countOf("/jwks")).toBe(2);
  });

  test("are waited for by one call when the issuer has gone silent, and by no other until it is back", async () => {
    const state = { isSilent: false, waiting: 0 };
    const fragile: typeof fetch = async (input, init) => {
      if (!state.isSilent) return await fetch(input, init);
      state.waiting += 1;
      return await new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
      });
    };
    const verifier = start({ fetch: fragile, timeoutMs: 100 });
    await verifier.ready();
    state.isSilent = true;
    const sign = async (jti: string): Promise<string> =>
      await issuer.sign({ claims: { jti, exp: nowSeconds() + 7_200 } });
    time.laterMs = 601_000;
    expect(await codeOf(verifier.verify(await sign("first")))).toBe("accepted");
    const waited = state.waiting;
    expect(waited).toBeGreaterThan(0);
    time.laterMs += 10_001;
    const abort = vi.spyOn(AbortSignal, "timeout").mockReturnValue(new AbortController().signal);
    // The issuer is asked again, and never answers: whoever waited for it would wait for ever.
    expect(await codeOf(verifier.verify(await sign("second")))).toBe("accepted");
    expect(state.waiting).toBeGreaterThan(waited);
    expect(abort).toHaveBeenCalled();
  });

  test("are not taken from where a redirect leads", async () => {
    const redirect: typeof fetch = async () =>
      new Response(null, { status: 302, headers: { location: "https://mallory.example.com/" } });
    expect(await codeOf(start({ fetch: redirect }).verify(await issuer.sign()))).toBe("issuer_unavailable");
  });

  test("that the issuer no longer shows are not trusted, nor is what they signed before", async () => {
    const verifier = start();
    const token = await issuer.sign();
    const fresh = await issuer.sign({ claims: { exp: nowSeconds() + 7_200 } });
    await verifier.verify(fresh);
    await issuer.rotate("key-2");
    time.laterMs = 601_000;
    await verifier.verify(await issuer.sign({ claims: { exp: nowSeconds() + 7_200 } }));
    expect(await codeOf(verifier.verify(fresh))).toBe("token_key_unknown");
    expect(await codeOf(verifier.verify(token))).toBe("token_key_unknown");
  });

  test("of an issuer that cannot be asked are a failure of the service, not of the token", async () => {
    issuer.setAway(true);
    const refusal = await refusalOf(start().verify(await issuer.sign()));
    expect(refusal).toMatchObject({ code: "issuer_unavailable", status: 503, wwwAuthenticate: undefined });
  });

  test.each([
    ["names another issuer", { issuer: "https://mallory.example.com" }],
    ["has no key set", { jwks_uri: undefined }],
    ["has a key set at no address", { jwks_uri: "javascript:alert(1)" }],
    ["has a key set of another kind", { jwks_uri: 7 }],
  ])("are not taken from a discovery document that %s", async (_what, changes) => {
    issuer.setMetadata(changes);
    expect(await codeOf(start().verify(await issuer.sign()))).toBe("issuer_misconfigured");
  });

  test("are not taken from an answer without end", async () => {
    const endless: typeof fetch = async () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
        }),
      );
    expect(await codeOf(start({ fetch: endless }).verify(await issuer.sign()))).toBe("issuer_unavailable");
  });

  test("are not waited for without end", async () => {
    const silent: typeof fetch = async (_input, init) =>
      await new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
      });
    expect(await codeOf(start({ fetch: silent, timeoutMs: 100 }).verify(await issuer.sign()))).toBe(
      "issuer_unavailable",
    );
  });
});

describe("a token that was seen before", () => {
  test("has its signature verified once", async () => {
    const verify = vi.spyOn(crypto.subtle, "verify");
    const verifier = start();
    const token = await issuer.sign();
    const first = await verifier.verify(token);
    expect(await verifier.verify(token)).toBe(first);
    expect(verify).toHaveBeenCalledTimes(1);
    expect(verifier.status().rememberedTokens).toBe(1);
  });

  test("expires all the same", async () => {
    const verifier = start();
    const token = await issuer.sign();
    await verifier.verify(token);
    time.laterMs = 306_000;
    expect(await codeOf(verifier.verify(token))).toBe("token_expired");
  });

  test("has to meet the requirements of each call", async () => {
    const verifier = start();
    const token = await issuer.sign();
    await verifier.verify(token, { scope: "orders:read" });
    expect(await codeOf(verifier.verify(token, { scope: "orders:delete" }))).toBe("scope_insufficient");
  });

  test("is forgotten when there are too many: the oldest goes first", async () => {
    const verify = vi.spyOn(crypto.subtle, "verify");
    const verifier = start({ rememberedTokensMax: 2 });
    const tokens = await Promise.all(["a", "b", "c"].map((jti) => issuer.sign({ claims: { jti } })));
    for (const token of tokens) await verifier.verify(token);
    expect(verifier.status().rememberedTokens).toBe(2);
    await verifier.verify(tokens[2]);
    expect(verify).toHaveBeenCalledTimes(3);
    await verifier.verify(tokens[0]);
    expect(verify).toHaveBeenCalledTimes(4);
  });

  test("is forgotten once it has expired and others come", async () => {
    const verifier = start();
    await verifier.verify(await issuer.sign());
    time.laterMs = 400_000;
    await verifier.verify(await issuer.sign({ claims: { exp: nowSeconds() + 900 } }));
    expect(verifier.status().rememberedTokens).toBe(1);
  });

  test("is not remembered at all if nothing may be", async () => {
    const verifier = start({ rememberedTokensMax: 0 });
    await verifier.verify(await issuer.sign());
    expect(verifier.status().rememberedTokens).toBe(0);
  });

  test("is not taken for one that differs in its last character", async () => {
    const verifier = start();
    const token = await issuer.sign();
    await verifier.verify(token);
    expect(await codeOf(verifier.verify(`${token}A`))).not.toBe("accepted");
  });
});

describe("listeners", () => {
  test("that throw disturb nobody, and are reported", async () => {
    const verifier = start({ revocations: "feed" });
    const codes: string[] = [];
    verifier.on("error", ({ code }) => codes.push(code));
    verifier.on("error", () => {
      throw new Error("not again");
    });
    verifier.on("live", () => {
      throw new Error("oops");
    });
    await verifier.ready();
    expect(codes).toEqual(["verifier_failed"]);
    expect(verifier.status().lastError?.code).toBe("verifier_failed");
  });
});
