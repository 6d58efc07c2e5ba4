import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Db } from "../storage/index.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import { createCheapHasher, createTestAccounts, freshAddress, PASSWORD, unique } from "./accounts-fixture.ts";
import type { Accounts } from "./accounts.ts";

const NEXT = "harbor thimble walnut";
const ATTEMPTS_MAX = 10;

// Each test is dozens of statements on a database in this process: slow when the machine is busy.
vi.setConfig({ testTimeout: 30_000 });

let db: Db;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ db, close } = await openTestEmbedded());
}, 30_000);

afterAll(() => close());

const register = (accounts: Accounts) =>
  accounts.register({ email: `${unique("alice")}@example.com`, name: "Test Person", password: PASSWORD }, "operator");
const sourceOf = () => ({ address: freshAddress(), requestId: "request-1" });

async function signsIn(accounts: Accounts, email: string, password: string): Promise<boolean> {
  return (await accounts.signIn({ email, password, source: sourceOf() })).outcome === "accepted";
}

test("the new password is the only one from then on, and when it was changed is noted", async () => {
  const { accounts, audit } = createTestAccounts(db);
  const before = await register(accounts);
  const source = sourceOf();
  const result = await accounts.changePassword(before.id, { current: PASSWORD, next: NEXT, source });
  expect(result).toEqual({ outcome: "changed" });
  const after = await accounts.find(before.id);
  expect(after?.passwordChangedAt.getTime()).toBeGreaterThan(before.passwordChangedAt.getTime());
  expect(await signsIn(accounts, before.email, PASSWORD)).toBe(false);
  expect(await signsIn(accounts, before.email, NEXT)).toBe(true);
  const types = (await audit.list({ accountId: before.id, type: "password_changed", limit: 5 })).length;
  expect(types).toBe(1);
});

test("a wrong current password changes nothing and is recorded [ASVS 6.2.3]", async () => {
  const { accounts, audit } = createTestAccounts(db);
  const { id, email } = await register(accounts);
  const source = sourceOf();
  expect(await accounts.changePassword(id, { current: "wrong", next: NEXT, source })).toEqual({ outcome: "refused" });
  expect(await signsIn(accounts, email, PASSWORD)).toBe(true);
  const [event] = await audit.list({ accountId: id, type: "password_change_failed", limit: 1 });
  expect(event).toMatchObject(source);
});

test("guesses count with those at the sign-in, from any address [ASVS 6.3.1]", async () => {
  const { accounts, audit, verified } = createTestAccounts(db);
  const { id, email } = await register(accounts);
  for (let guess = 1; guess < ATTEMPTS_MAX; guess += 1) await signsIn(accounts, email, "wrong");
  const change = (current: string) => accounts.changePassword(id, { current, next: NEXT, source: sourceOf() });
  expect(await change("wrong")).toEqual({ outcome: "refused" });
  const looked = verified.length;
  for (let more = 0; more < 3; more += 1) {
    expect(await change(PASSWORD)).toMatchObject({ outcome: "throttled", retryAfterSeconds: expect.any(Number) });
  }
  expect(verified).toHaveLength(looked);
  expect(await audit.list({ accountId: id, type: "sign_in_throttled", limit: 5 })).toHaveLength(1);
});

test("of parallel changes one wins, and the others are refused", async () => {
  const { accounts } = createTestAccounts(db);
  const { id, email } = await register(accounts);
  const passwords = ["one umbrella glacier", "two umbrella glacier", "three umbrella glacier"];
  const results = await Promise.all(
    passwords.map((next) => accounts.changePassword(id, { current: PASSWORD, next, source: sourceOf() })),
  );
  expect(results.map(({ outcome }) => outcome).toSorted()).toEqual(["changed", "refused", "refused"]);
  const winner = passwords[results.findIndex(({ outcome }) => outcome === "changed")] ?? "";
  expect(await signsIn(accounts, email, winner)).toBe(true);
});

test.each([
  ["password1234", "too_common"],
  ["short", "too_short"],
])("the new password %j is %s, and nothing is counted for it", async (next, reason) => {
  const { accounts, verified } = createTestAccounts(db);
  const { id } = await register(accounts);
  const change = accounts.changePassword(id, { current: PASSWORD, next, source: sourceOf() });
  await expect(change).rejects.toMatchObject({ code: "PASSWORD_UNACCEPTABLE", reason });
  expect(verified).toEqual([]);
});

test("half a character, nobody's account and a disabled one are refused", async () => {
  const { accounts } = createTestAccounts(db);
  const { id } = await register(accounts);
  const change = (whose: string, next: string) =>
    accounts.changePassword(whose, { current: PASSWORD, next, source: sourceOf() });
  await expect(change(id, `${NEXT}\uD800`)).rejects.toMatchObject({ code: "INPUT_INVALID", field: "password" });
  await expect(change("nobody", NEXT)).rejects.toMatchObject({ code: "ACCOUNT_NOT_FOUND" });
  await accounts.disable(id);
  expect(await change(id, NEXT)).toEqual({ outcome: "refused" });
});

test("a password that cannot be hashed in time changes nothing", async () => {
  const cheap = createCheapHasher();
  const { accounts } = createTestAccounts(db);
  const { id, email } = await register(accounts);
  const hash = () => Promise.reject(new Error("busy"));
  const busy = createTestAccounts(db, { hasher: { ...cheap.hasher, hash } }).accounts;
  await expect(busy.changePassword(id, { current: PASSWORD, next: NEXT, source: sourceOf() })).rejects.toThrow("busy");
  expect(await signsIn(accounts, email, PASSWORD)).toBe(true);
});
