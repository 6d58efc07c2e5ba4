import { describe, expect, test } from "vitest";
import { type RevocableToken, RevokedSet } from "./revoked-set.ts";

const NOW = 1_800_000_000;
const GRANT = "c2lnbi1pbi10YWct-grant01";
const token: RevocableToken = {
  sid: "sign-in-of-alice",
  jti: `${GRANT}.randomrandomrandom0000`,
  sub: "alice",
  client_id: "shopWeb",
  iat: NOW,
  kid: "key-1",
};

function setWith(...records: readonly { kind: string; value: string; issuedBefore?: number }[]): RevokedSet {
  const set = new RevokedSet();
  for (const record of records) set.add({ expiresAt: NOW + 600, ...record });
  return set;
}

describe("what a record refuses", () => {
  test.each([
    ["session", "sign-in-of-alice"],
    ["consent", GRANT],
    ["account", "alice"],
    ["client", "shopWeb"],
    ["token", token.jti],
    ["key", "key-1"],
    ["epoch", "7"],
  ])("a %s is refused by its name, and another one is not", (kind, value) => {
    const bound = kind === "epoch" ? { issuedBefore: NOW + 1 } : {};
    expect(setWith({ kind, value, ...bound }).isRevoked(token)).toBe(true);
    const other = kind === "epoch" ? { value, issuedBefore: NOW } : { value: `${value}x` };
    expect(setWith({ kind, ...other }).isRevoked(token)).toBe(false);
  });

  test.each(["session", "account", "client", "epoch"])(
    "issuedBefore bounds a %s: the second itself is spared",
    (kind) => {
      const value = { session: token.sid, account: token.sub, client: token.client_id }[kind] ?? "1";
      expect(setWith({ kind, value, issuedBefore: NOW + 1 }).isRevoked(token)).toBe(true);
      expect(setWith({ kind, value, issuedBefore: NOW }).isRevoked(token)).toBe(false);
    },
  );

  test("a token without a session or a grant is caught by neither", () => {
    const set = setWith({ kind: "session", value: "undefined" }, { kind: "consent", value: "" });
    const { sid: _sid, ...service } = { ...token, jti: "plain" };
    expect(set.isRevoked(service)).toBe(false);
    expect(set.isRevoked({ ...service, jti: ".x" })).toBe(false);
  });

  test("an epoch without a time refuses everything", () => {
    expect(setWith({ kind: "epoch", value: "1" }).isRevoked(token)).toBe(true);
  });

  test("a time that cannot be compared is refused", () => {
    const set = setWith({ kind: "account", value: "alice", issuedBefore: NOW });
    expect(set.isRevoked({ ...token, iat: Number.NaN })).toBe(true);
  });
});

describe("the set", () => {
  test("a kind that is not known is not taken", () => {
    const set = new RevokedSet();
    expect(set.add({ kind: "planet", value: "x", expiresAt: NOW })).toBe(false);
    expect(set.add({ kind: "constructor", value: "x", expiresAt: NOW })).toBe(false);
    expect(set.size).toBe(0);
  });

  test.each([
    [NOW + 10, NOW],
    [NOW, NOW + 10],
  ])("of two records about one thing the one that refuses more counts, in any order", (first, second) => {
    const set = setWith(
      { kind: "client", value: "shopWeb", issuedBefore: first },
      { kind: "client", value: "shopWeb", issuedBefore: second },
    );
    expect(set.isRevoked({ ...token, iat: NOW + 9 })).toBe(true);
    expect(set.isRevoked({ ...token, iat: NOW + 10 })).toBe(false);
    expect(set.size).toBe(1);
  });

  test("a record is kept until it expires", () => {
    const set = setWith({ kind: "account", value: "alice" });
    set.forgetExpired(NOW + 599);
    expect(set.isRevoked(token)).toBe(true);
    set.forgetExpired(NOW + 600);
    expect(set.isRevoked(token)).toBe(false);
    expect(set.size).toBe(0);
  });

  test("clear forgets every kind", () => {
    const set = setWith({ kind: "account", value: "alice" }, { kind: "epoch", value: "1" });
    set.clear();
    expect(set.isRevoked(token)).toBe(false);
    expect(set.size).toBe(0);
  });
});
