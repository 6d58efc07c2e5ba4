import { describe, expect, test } from "vitest";
import { createAuthenticator, createCookieSigner, createSealer } from "./sealing.ts";

const OLD_SECRET = "old-secret-of-thirty-two-bytes-or-more";
const NEW_SECRET = "new-secret-of-thirty-two-bytes-or-more";
const FOREIGN_SECRET = "another-deployment's-secret-altogether";
const plaintext = Buffer.from("a signing key, say: \0\u{1f511}");

describe("a sealed value", () => {
  const sealer = createSealer([NEW_SECRET, OLD_SECRET]);

  test("opens to what it was, also when it is empty", () => {
    expect(sealer.open("signing-key", sealer.seal("signing-key", plaintext, "kid-1"), "kid-1")).toEqual(plaintext);
    expect(sealer.open("factor-secret", sealer.seal("factor-secret", Buffer.alloc(0)))).toEqual(Buffer.alloc(0));
  });

  test("that an older secret of the list sealed opens and is stale; a fresh one is not", () => {
    const old = createSealer([OLD_SECRET]).seal("signing-key", plaintext, "kid-1");
    expect(sealer.open("signing-key", old, "kid-1")).toEqual(plaintext);
    expect(sealer.isStale(old)).toBe(true);
    expect(sealer.isStale(sealer.seal("signing-key", plaintext))).toBe(false);
  });

  test("does not open under a secret that is not in the list", () => {
    const foreign = createSealer([FOREIGN_SECRET]);
    expect(foreign.open("signing-key", sealer.seal("signing-key", plaintext))).toBeUndefined();
    expect(sealer.open("signing-key", foreign.seal("signing-key", plaintext))).toBeUndefined();
  });

  test("does not open for another purpose or in another context", () => {
    const sealed = sealer.seal("signing-key", plaintext, "kid-1");
    expect(sealer.open("factor-secret", sealed, "kid-1")).toBeUndefined();
    expect(sealer.open("signing-key", sealed, "kid-2")).toBeUndefined();
    expect(sealer.open("signing-key", sealed)).toBeUndefined();
  });

  test("is another one each time and does not hold the plaintext", () => {
    const [first, second] = [sealer.seal("signing-key", plaintext), sealer.seal("signing-key", plaintext)];
    expect(first).not.toEqual(second);
    expect(first.includes(plaintext)).toBe(false);
  });

  test("that is cut off anywhere does not open and does not throw", () => {
    const sealed = sealer.seal("signing-key", plaintext);
    const opened = Array.from(sealed, (_, length) => sealer.open("signing-key", sealed.subarray(0, length)));
    expect(new Set(opened)).toEqual(new Set([undefined]));
  });

  test("of which any single byte is changed does not open", () => {
    const sealed = sealer.seal("signing-key", plaintext);
    const opened = Array.from(sealed, (octet, at) => {
      const changed = Buffer.from(sealed);
      changed[at] = octet ^ 1;
      return sealer.open("signing-key", changed);
    });
    expect(new Set(opened)).toEqual(new Set([undefined]));
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["zeros", Buffer.alloc(100)],
    ["text", Buffer.from("this was never sealed by anybody, however long it is")],
  ])("that is %s does not open", (_, garbage) => {
    expect(sealer.open("signing-key", garbage)).toBeUndefined();
    expect(sealer.isStale(garbage)).toBe(true);
  });

  test("needs a secret", () => {
    expect(() => createSealer([])).toThrow("at least one secret");
  });
});

describe("a cookie's signature", () => {
  const signer = createCookieSigner([NEW_SECRET, OLD_SECRET]);

  test("is verified under the newest secret and under older ones of the list", () => {
    const byOld = createCookieSigner([OLD_SECRET]).sign("session=abc");
    expect(signer.verify("session=abc", signer.sign("session=abc"))).toBe(true);
    expect(signer.verify("session=abc", byOld)).toBe(true);
    expect(signer.index("session=abc", byOld)).toBe(0);
  });

  test("is made with the newest secret", () => {
    expect(signer.sign("session=abc")).toBe(createCookieSigner([NEW_SECRET]).sign("session=abc"));
  });

  test.each([
    ["of another value", () => signer.sign("session=abd")],
    ["by another secret", () => createCookieSigner([FOREIGN_SECRET]).sign("session=abc")],
    ["that is cut off", () => signer.sign("session=abc").slice(0, -2)],
    ["that is empty", () => ""],
    ["that is no base64url", () => "!".repeat(43)],
  ])("%s is refused", (_, forge) => {
    const signature = forge();
    expect(signer.verify("session=abc", signature)).toBe(false);
    expect(signer.index("session=abc", signature)).toBe(-1);
  });
});

describe("a digest for a value that comes back", () => {
  const authenticator = createAuthenticator([NEW_SECRET, OLD_SECRET]);

  test("is verified for its purpose only", () => {
    const digest = authenticator.digest("csrf", "value");
    expect(authenticator.verify("csrf", "value", digest)).toBe(true);
    expect(authenticator.verify("cookie", "value", digest)).toBe(false);
    expect(authenticator.verify("csr", "fvalue", digest)).toBe(false);
  });

  test("needs a secret", () => {
    expect(() => createAuthenticator([]).digest("csrf", "value")).toThrow("at least one secret");
    expect(createAuthenticator([]).verify("csrf", "value", "")).toBe(false);
  });
});
