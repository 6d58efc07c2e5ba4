import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VerifierError } from "./errors.ts";
import { type FakeIssuer, startFakeIssuer } from "./fake-issuer-fixture.ts";
import { createVerifier } from "./index.ts";
import { parseOptions, type VerifierOptions } from "./options.ts";
import type { Requirements } from "./requirements.ts";
import { codeOf, refusalOf, startVerifier } from "./verifier-fixture.ts";
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

describe("requirements", () => {
  test.each<[Requirements, string, string | undefined]>([
    [{ scope: "orders:read" }, "accepted", undefined],
    [{ scope: ["orders:read", "orders:write"] }, "accepted", undefined],
    [
      { scope: "orders:read orders:delete" },
      "scope_insufficient",
      'Bearer error="insufficient_scope", error_description="The token does not allow this", scope="orders:read orders:delete"',
    ],
    [{ acr: "urn:latchkey:password" }, "accepted", undefined],
    [{ acr: ["urn:latchkey:mfa", "urn:latchkey:password"] }, "accepted", undefined],
    [
      { acr: ["urn:latchkey:mfa", "phr"] },
      "authentication_insufficient",
      'Bearer error="insufficient_user_authentication", error_description="The sign-in behind this token is too weak or too long ago", acr_values="urn:latchkey:mfa phr"',
    ],
    [{ maxAgeSeconds: 120 }, "accepted", undefined],
    [
      { maxAgeSeconds: 30, acr: "urn:latchkey:password" },
      "authentication_insufficient",
      'Bearer error="insufficient_user_authentication", error_description="The sign-in behind this token is too weak or too long ago", acr_values="urn:latchkey:password", max_age="30"',
    ],
  ])("%j: %s [RFC 6750 3, RFC 9470 3]", async (requirements, code, challenge) => {
    const outcome = await start()
      .verify(await issuer.sign(), requirements)
      .catch((error: unknown) => error);
    expect(outcome instanceof VerifierError ? outcome.code : "accepted").toBe(code);
    expect(outcome instanceof VerifierError ? outcome.wwwAuthenticate : undefined).toBe(challenge);
  });

  test("about a sign-in are not met by a service, which has none", async () => {
    const token = await issuer.sign({ claims: { auth_time: undefined, acr: undefined } });
    expect(await codeOf(start().verify(token, { maxAgeSeconds: 1_000_000 }))).toBe("authentication_insufficient");
    expect(await codeOf(start().verify(token, { acr: "urn:latchkey:password" }))).toBe("authentication_insufficient");
  });

  test.each<[unknown]>([
    [null],
    ["orders:read"],
    [{ scopes: "orders:read" }],
    [{ scope: [] }],
    [{ scope: "" }],
    [{ scope: 7 }],
    [{ scope: ['a"b'] }],
    [{ acr: [7] }],
    [{ maxAgeSeconds: "30" }],
    [{ maxAgeSeconds: -1 }],
    [{ maxAgeSeconds: Number.NaN }],
    [{ dpop: "proof" }],
    [{ dpop: { proof: "a.b.c", method: "GET", url: "/orders" } }],
  ])("that are not understood (%j) are refused as the service's fault", async (requirements) => {
    const refusal = await refusalOf(start().verify(await issuer.sign(), requirements as Requirements));
    expect(refusal).toMatchObject({ code: "requirements_invalid", status: 500, wwwAuthenticate: undefined });
  });
});

describe("challenges", () => {
  test("a request without a token is told both schemes, and no error [RFC 6750 3.1, RFC 9449 7.2]", async () => {
    const verifier = start({ algorithms: ["ES256", "EdDSA"] });
    for (const token of [undefined, ""]) {
      const refusal = await refusalOf(verifier.verify(token));
      expect(refusal).toMatchObject({ code: "token_missing", status: 401, error: undefined });
      expect(refusal.wwwAuthenticate).toBe('Bearer, DPoP algs="ES256 EdDSA"');
    }
  });

  test("name the metadata of the resource [RFC 9728 5.1]", async () => {
    const verifier = start({ resourceMetadataUrl: "https://orders.example.com/.well-known/oauth-protected-resource" });
    const { wwwAuthenticate } = await refusalOf(verifier.verify("x.y.z"));
    expect(wwwAuthenticate).toBe(
      'Bearer error="invalid_token", error_description="The token is malformed", resource_metadata="https://orders.example.com/.well-known/oauth-protected-resource"',
    );
  });

  test("say nothing of what a refusal was about in detail", async () => {
    const refusal = await refusalOf(start().verify(await issuer.sign({ claims: { sid: 5 } })));
    expect(refusal.detail).toBe("sid");
    expect(refusal.wwwAuthenticate).not.toContain("sid");
  });
});

describe("options", () => {
  test.each<[string, unknown]>([
    ["no object", null],
    ["no issuer", { issuer: undefined }],
    ["an issuer over http elsewhere", { issuer: "http://id.example.com" }],
    ["an issuer with a query", { issuer: "https://id.example.com/?a=b" }],
    ["an issuer that is no address", { issuer: "id" }],
    ["an issuer of another scheme", { issuer: "file:///etc" }],
    ["no audience", { audience: "" }],
    ["no way of revocation", { revocations: undefined }],
    ["an unknown way of revocation", { revocations: "polling" }],
    ["a feed without a client", { revocations: "feed", client: undefined }],
    ["introspection without a client", { revocations: "introspection", client: undefined }],
    ["a client without a secret", { client: { id: "billingApi" } }],
    ["a client that is none", { client: "billingApi" }],
    ["a staleness of nothing", { staleAfterMs: 999 }],
    ["a staleness that is no number", { staleAfterMs: Number.NaN }],
    ["an unknown onStale", { onStale: "shrug" }],
    ["no algorithm", { algorithms: [] }],
    ["a tolerance of minutes", { clockToleranceSeconds: 61 }],
    ["a fetch that is none", { fetch: "fetch" }],
    ["a metadata address that is none", { resourceMetadataUrl: 'x"y' }],
  ])("%s is refused at once", async (_what, changes) => {
    const options = changes === null ? null : { ...issuer.options(), ...(changes as object) };
    const call = Promise.resolve().then(() => createVerifier(options as VerifierOptions));
    expect(await codeOf(call)).toBe("options_invalid");
  });

  test.each(["http://localhost:3000", "http://[::1]:3000", "http://127.0.0.1", "https://id.example.com/tenant"])(
    "%s is an issuer",
    (address) => {
      expect(parseOptions(issuer.options({ issuer: address })).issuer).toBe(address);
    },
  );
});
