import { describe, expect, test } from "vitest";
import { createAuthenticator } from "../../core/index.ts";
import { authenticatorOf } from "./authenticators.ts";
import { createChallenges } from "./challenges.ts";
import { parseAssertionResponse, parseRegistrationResponse } from "./responses.ts";

const HOUR_MS = 3_600_000;
const use = { ceremony: "get", binding: "uid-1" } as const;

function scene(secrets = ["n".repeat(32)]) {
  let nowMs = 1_900_000_000_000;
  const clock = { nowMs: () => nowMs };
  const challenges = createChallenges({ clock, authenticator: createAuthenticator(secrets) });
  return { challenges, pass: (ms: number) => void (nowMs += ms) };
}

describe("a challenge", () => {
  test("is good for what it was made for, for an hour and no longer", () => {
    const { challenges, pass } = scene();
    const challenge = challenges.issue(use).toString("base64url");
    const checked = challenges.check(use, challenge);
    expect(checked?.expiresAt).toEqual(new Date(1_900_000_000_000 + HOUR_MS));
    pass(HOUR_MS - 1);
    expect(challenges.check(use, challenge)).toEqual(checked);
    pass(1);
    expect(challenges.check(use, challenge)).toBeUndefined();
  });

  test("is good for no other binding and no other purpose", () => {
    const { challenges } = scene();
    const challenge = challenges.issue(use).toString("base64url");
    expect(challenges.check({ ...use, binding: "uid-2" }, challenge)).toBeUndefined();
    expect(challenges.check({ ...use, binding: "" }, challenge)).toBeUndefined();
    expect(challenges.check({ ...use, ceremony: "create" }, challenge)).toBeUndefined();
  });

  test("with any bit changed, a byte more or a byte less is refused", () => {
    const { challenges } = scene();
    const challenge = challenges.issue(use);
    for (let bit = 0; bit < challenge.length * 8; bit += 1) {
      const forged = Buffer.from(challenge);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(challenges.check(use, forged.toString("base64url")), `bit ${bit}`).toBeUndefined();
    }
    expect(challenges.check(use, challenge.subarray(1).toString("base64url"))).toBeUndefined();
    expect(challenges.check(use, Buffer.concat([challenge, Buffer.alloc(1)]).toString("base64url"))).toBeUndefined();
    expect(challenges.check(use, "")).toBeUndefined();
  });

  test("of another server is refused, and one of an older secret is not", () => {
    const challenge = scene(["o".repeat(32)])
      .challenges.issue(use)
      .toString("base64url");
    expect(scene().challenges.check(use, challenge)).toBeUndefined();
    expect(scene(["n".repeat(32), "o".repeat(32)]).challenges.check(use, challenge)).toBeDefined();
  });

  test("is another one each time, and all spellings of one are one", () => {
    const { challenges } = scene();
    const challenge = challenges.issue(use);
    expect(challenges.issue(use)).not.toEqual(challenge);
    const spellings = [
      challenge.toString("base64url"),
      challenge.toString("base64"),
      ` ${challenge.toString("base64")}`,
    ];
    expect(new Set(spellings.map((text) => challenges.check(use, text)?.digest)).size).toBe(1);
  });
});

describe("what a browser sends", () => {
  const registration = {
    id: "AAAA",
    rawId: "AAAA",
    type: "public-key",
    response: { clientDataJSON: "AAAA", attestationObject: "AAAA", transports: ["usb", "telepathy"] },
  };
  const assertion = {
    ...registration,
    response: { clientDataJSON: "AAAA", authenticatorData: "AAAA", signature: "AAAA", userHandle: null },
  };

  test("is read, with the transports that we know", () => {
    expect(parseRegistrationResponse(JSON.stringify(registration))?.response.transports).toEqual(["usb"]);
    expect(parseAssertionResponse(JSON.stringify(assertion))?.id).toBe("AAAA");
  });

  test("is read up to 16 KiB and not beyond", () => {
    const text = JSON.stringify(assertion);
    expect(parseAssertionResponse(text.padEnd(16 * 1_024))).toBeDefined();
    expect(parseAssertionResponse(text.padEnd(16 * 1_024 + 1))).toBeUndefined();
  });

  test.each([
    "",
    "null",
    "[]",
    "{",
    '"text"',
    JSON.stringify({ ...assertion, id: "A".repeat(1_365) }),
    JSON.stringify({ ...assertion, id: "a\u0000b" }),
    JSON.stringify({ ...assertion, type: "password" }),
    JSON.stringify({ ...assertion, response: {} }),
    JSON.stringify({ ...assertion, response: { ...assertion.response, signature: 1 } }),
    JSON.stringify({ ...assertion, response: { ...assertion.response, userHandle: {} } }),
  ])("%s is no answer", (text) => {
    expect(parseAssertionResponse(text)).toBeUndefined();
    expect(parseRegistrationResponse(text)).toBeUndefined();
  });
});

test("kinds of authenticator have a name where they are well known", () => {
  expect(authenticatorOf("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4")).toBe("Google Password Manager");
  expect(["00000000-0000-0000-0000-000000000000", "constructor", ""].map(authenticatorOf)).toEqual(
    Array(3).fill(undefined),
  );
});
