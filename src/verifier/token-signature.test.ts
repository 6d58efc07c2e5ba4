import { generateKeyPair } from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type FakeIssuer, startFakeIssuer } from "./fake-issuer-fixture.ts";
import { type Platform, systemPlatform } from "./platform.ts";
import { createSignatureCache } from "./signature-cache.ts";
import { parseClaims } from "./verified-token.ts";
import { codeOf, nowSeconds, startVerifier } from "./verifier-fixture.ts";
import type { Verifier } from "./verifier.ts";

const time = { laterMs: 0 };
const platform: Platform = {
  ...systemPlatform,
  nowMs: () => systemPlatform.nowMs() + time.laterMs,
  monotonicMs: () => systemPlatform.monotonicMs() + time.laterMs,
};
let issuer: FakeIssuer;
let verifier: Verifier;

beforeEach(async () => {
  time.laterMs = 0;
  issuer = await startFakeIssuer();
  verifier = startVerifier(issuer, { revocations: "none", platform });
});

afterEach(async () => {
  await issuer.close();
});

const sign = async (jti: string, lifetimeSeconds = 7_200): Promise<string> =>
  await issuer.sign({ claims: { jti, exp: nowSeconds() + lifetimeSeconds } });

describe("a token under a header that is known", () => {
  beforeEach(async () => {
    await verifier.verify(await sign("the one that makes the header known"));
  });

  test("is verified as well: its signature, its claims and its form", async () => {
    const [header = "", claims = "", signature = ""] = (await sign("bob")).split(".");
    const [, others = ""] = (await sign("mallory")).split(".");
    const results = await Promise.all(
      [
        `${header}.${claims}.${signature}`,
        `${header}.${others}.${signature}`,
        `${header}.${claims}.${signature.slice(0, -4)}`,
        `${header}.${claims}.`,
        `${header}.${claims}.A`,
        `${header}..${signature}`,
        `${header}.${claims}é.${signature}`,
        `${header}.${claims} .${signature}`,
      ].map((token) => codeOf(verifier.verify(token))),
    );
    const [good, ...bad] = results;
    expect(good).toBe("accepted");
    expect(new Set(bad)).toEqual(new Set(["token_signature_invalid", "token_malformed"]));
  });

  test("by a key that is nobody's is refused", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    expect(await codeOf(verifier.verify(await issuer.sign({ key: privateKey })))).toBe("token_signature_invalid");
  });

  test("is refused when another key has taken the name", async () => {
    const before = await sign("signed before");
    await issuer.rotate("key-1");
    time.laterMs = 601_000;
    expect(await codeOf(verifier.verify(await sign("signed since")))).toBe("accepted");
    expect(await codeOf(verifier.verify(before))).toBe("token_signature_invalid");
  });

  test("is refused when the key has gone", async () => {
    const before = await sign("signed before");
    await issuer.rotate("key-2");
    time.laterMs = 601_000;
    expect(await codeOf(verifier.verify(before))).toBe("token_key_unknown");
  });
});

describe("what is remembered", () => {
  test("is verified again after ten minutes, so that a key that has gone does not live on in it", async () => {
    const token = await sign("long-lived");
    await verifier.verify(token);
    await issuer.rotate("key-2");
    time.laterMs = 599_000;
    expect(await codeOf(verifier.verify(token))).toBe("accepted");
    time.laterMs = 601_000;
    expect(await codeOf(verifier.verify(token))).toBe("token_key_unknown");
  });

  test("does not come from keys that went while the signature was being verified", async () => {
    const cache = createSignatureCache({ platform, entriesMax: 10, toleranceSeconds: 5 });
    const times = { iat: nowSeconds(), exp: nowSeconds() + 60 };
    const claims = { iss: "i", aud: "a", sub: "alice", client_id: "shopWeb", jti: "j", ...times };
    const vouched = parseClaims(claims, "key-1", { issuer: "i", audience: "a" });
    const { edition } = cache;
    cache.clear();
    cache.remember("digest", vouched, edition);
    expect(cache.find("digest")).toBeUndefined();
    cache.remember("digest", vouched, cache.edition);
    expect(cache.find("digest")).toBe(vouched);
  });

  test("is found without computing anything", async () => {
    const token = await sign("seen before");
    await verifier.verify(token);
    const computing = vi.spyOn(crypto.subtle, "verify");
    await verifier.verify(token);
    expect(computing).not.toHaveBeenCalled();
    await verifier.verify(await sign("not seen before"));
    expect(computing).toHaveBeenCalledTimes(1);
  });
});
