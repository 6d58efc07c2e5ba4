import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { background } from "./background.ts";
import { epochSeconds, systemClock } from "./clock.ts";
import { AppError, isAppError } from "./errors.ts";
import { equalOctets, hmacSha256, sha256 } from "./hashing.ts";
import { randomOctets } from "./random.ts";

describe("time", () => {
  test("is rounded down to whole seconds", () => {
    expect(epochSeconds({ nowMs: () => 1_999 })).toBe(1);
    expect(epochSeconds({ nowMs: () => 2_000 })).toBe(2);
  });

  test("comes from the system's clock", () => {
    expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(1_000);
  });
});

describe("hashing", () => {
  test("is SHA-256 of UTF-8 text or of bytes [FIPS 180-4]", () => {
    const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    expect(sha256("abc").toString("hex")).toBe(digest);
    expect(sha256(Buffer.from("abc")).toString("hex")).toBe(digest);
  });

  test("under a key is HMAC [RFC 4231 4.2, 4.3]", () => {
    const [key, data] = [Buffer.alloc(20, 0x0b), Buffer.from("Hi There")];
    const first = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
    expect(hmacSha256(key, data).toString("hex")).toBe(first);
    const second = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    expect(hmacSha256(Buffer.from("Jefe"), Buffer.from("what do ya want for nothing?")).toString("hex")).toBe(second);
  });

  test("under a key agrees with Node's for every length of key, and takes none that is longer than a block", () => {
    for (let keyBytes = 0; keyBytes <= 64; keyBytes += 1) {
      const [key, message] = [randomOctets(keyBytes), randomOctets(keyBytes * 3)];
      expect(hmacSha256(key, message).equals(createHmac("sha256", key).update(message).digest())).toBe(true);
    }
    expect(() => hmacSha256(Buffer.alloc(65), Buffer.alloc(1))).toThrow(RangeError);
  });

  test.each([
    ["the same", "abc", "abc", true],
    ["different", "abc", "abd", false],
    ["a prefix", "ab", "abc", false],
    ["both empty", "", "", true],
    ["one empty", "", "a", false],
  ])("byte strings that are %s compare so", (_, left, right, isEqual) => {
    expect(equalOctets(Buffer.from(left), Buffer.from(right))).toBe(isEqual);
  });
});

describe("an expected failure", () => {
  const cause = new Error("cause");
  const error = new AppError("STORE_UNAVAILABLE", { detail: "redis is away", retryAfterSeconds: 5, cause });

  test("has the status and the public sentence of its code, and tells the outside no more", () => {
    expect(error).toMatchObject({
      name: "AppError",
      status: 503,
      retryAfterSeconds: 5,
      detail: "redis is away",
      cause,
    });
    expect(error.sentence).not.toContain("redis");
    expect(error.message).toBe("STORE_UNAVAILABLE: redis is away");
    expect(new AppError("PAGE_NOT_FOUND").message).toBe("PAGE_NOT_FOUND");
  });

  test("is told by its code", () => {
    expect(isAppError(error)).toBe(true);
    expect(isAppError(error, "STORE_UNAVAILABLE")).toBe(true);
    expect(isAppError(error, "THROTTLED")).toBe(false);
    expect(isAppError(cause)).toBe(false);
  });
});

test("what runs in the background reports its failure", async () => {
  const failure = new Error("lost otherwise");
  const reported = await new Promise((resolve) => background(Promise.reject(failure), resolve));
  expect(reported).toBe(failure);
});
