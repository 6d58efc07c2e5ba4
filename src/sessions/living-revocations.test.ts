import { expect, test } from "vitest";
import { createLivingRevocations } from "./living-revocations.ts";
import type { Revocation } from "./revocation-page.ts";

const token = { sid: "s1", jti: "grant.random", sub: "alice", client_id: "shopWeb", iat: 100, kid: "key" };
const record = (id: number, more: Partial<Revocation> = {}): Revocation => ({
  id,
  kind: "session",
  value: `s${id}`,
  expiresAt: 1_000,
  audiences: null,
  ...more,
});

test("records are listed after any id, there or not, and no more of them than asked for", () => {
  const living = createLivingRevocations();
  living.add([record(2), record(5)]);
  living.add([record(9)]);
  const idsAfter = (id: number, max = 10) => living.listAfter(id, max).map((each) => each.id);
  expect([idsAfter(0), idsAfter(2), idsAfter(4), idsAfter(8), idsAfter(9), idsAfter(100)]).toEqual([
    [2, 5, 9],
    [5, 9],
    [5, 9],
    [9],
    [],
    [],
  ]);
  expect(idsAfter(0, 2)).toEqual([2, 5]);
  expect(living.firstId).toBe(2);
});

test("what has expired is forgotten, and the greatest id of it told", () => {
  const living = createLivingRevocations();
  living.add([record(1, { expiresAt: 10 }), record(2, { expiresAt: 30 }), record(3, { expiresAt: 20 })]);
  expect(living.forgetExpired(9)).toBeUndefined();
  expect(living.isRevoked(token, 9)).toBe(true);
  expect(living.forgetExpired(20)).toBe(3);
  expect(living.listAfter(0, 10).map(({ id }) => id)).toEqual([2]);
  expect(living.isRevoked(token, 20)).toBe(false);
});

test("while a record of an unknown kind lives, everything is revoked", () => {
  const living = createLivingRevocations();
  living.add([record(2, { kind: "galaxy", expiresAt: 50 })]);
  expect([living.isRevoked(token, 49), living.isRevoked(token, 50)]).toEqual([true, false]);
});

test("a history that is lost leaves revoked what was revoked", () => {
  const living = createLivingRevocations();
  living.add([record(1)]);
  living.forgetOrder();
  expect([living.firstId, living.listAfter(0, 10)]).toEqual([undefined, []]);
  expect(living.isRevoked(token, 0)).toBe(true);
});
