import { describe, expect, test } from "vitest";
import { background } from "./background.ts";
import { epochSeconds, systemClock } from "./clock.ts";
import { AppError, isAppError } from "./errors.ts";
import { equalOctets, sha256 } from "./hashing.ts";

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
