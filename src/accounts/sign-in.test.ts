import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Audit } from "../audit/index.ts";
import { AppError } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { Accounts } from "./accounts.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import { createCheapHasher, createTestAccounts, freshAddress, PASSWORD, unique } from "./accounts-fixture.ts";

const MINUTE_MS = 60_000;

// Each test is dozens of statements on a database in this process: slow when the machine is busy.
vi.setConfig({ testTimeout: 30_000 });

let db: Db;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ db, close } = await openTestEmbedded());
}, 60_000);

afterAll(() => close());
afterEach(() => {
  vi.useRealTimers();
});

async function registerAlice(accounts: Accounts) {
  const email = `${unique("alice")}@example.com`;
  return accounts.register({ email, name: "Alice", password: PASSWORD }, { address: "192.0.2.7" });
}

const attemptBy = (email: string, password: string = PASSWORD, address: string = freshAddress()) => ({
  email,
  password,
  source: { address, requestId: "request-1" },
  clientId: "shopWeb",
});

const lastEvent = async (audit: Audit) => (await audit.list({ limit: 1 }))[0];

describe("a sign-in", () => {
  test("with the right password is accepted in every spelling of the address, and recorded", async () => {
    const { accounts, audit } = createTestAccounts(db);
    const alice = await registerAlice(accounts);
    for (const email of [alice.email, ` ${alice.email.toUpperCase()} `]) {
      expect(await accounts.signIn(attemptBy(email))).toEqual({ outcome: "accepted", account: alice });
      expect(await lastEvent(audit)).toMatchObject({
        type: "sign_in_succeeded",
        accountId: alice.id,
        clientId: "shopWeb",
        requestId: "request-1",
        data: {},
      });
    }
  });

  test.each([
    ["another last character", "plum umbrella glacieR"],
    ["a trailing space", "plum umbrella glacier "],
    ["nothing", ""],
    ["more than 1,024 bytes", PASSWORD.repeat(60)],
  ])("with %s is refused [ASVS 6.2.8]", async (_, password) => {
    const { accounts, audit } = createTestAccounts(db);
    const alice = await registerAlice(accounts);
    expect(await accounts.signIn(attemptBy(alice.email, password))).toEqual({ outcome: "refused" });
    expect(await lastEvent(audit)).toMatchObject({
      type: "sign_in_failed",
      accountId: alice.id,
      data: { reason: "wrong_password" },
    });
  });

  test("to a disabled account looks like a wrong password and is recorded as what it is", async () => {
    const { accounts, audit } = createTestAccounts(db);
    const alice = await registerAlice(accounts);
    await accounts.disable(alice.id);
    expect(await accounts.signIn(attemptBy(alice.email))).toEqual({ outcome: "refused" });
    expect(await lastEvent(audit)).toMatchObject({ accountId: alice.id, data: { reason: "account_disabled" } });
  });

  test("is refused when the account is disabled while the password is verified", async () => {
    const cheap = createCheapHasher();
    const { accounts, audit } = createTestAccounts(db, {
      hasher: {
        ...cheap.hasher,
        async verify(hash, password) {
          await accounts.disable(alice.id);
          return cheap.hasher.verify(hash, password);
        },
      },
    });
    const alice = await registerAlice(accounts);
    expect(await accounts.signIn(attemptBy(alice.email))).toEqual({ outcome: "refused" });
    expect(await lastEvent(audit)).toMatchObject({ data: { reason: "account_disabled" } });
  });

  test.each([
    ["an unknown address", "nobody@example.com"],
    ["text that is no address", "not an address"],
    ["text that no database takes", "nobody\u0000@example.com"],
    ["far too much text", "x".repeat(60_000)],
  ])("by %s leaves no trace of what was typed", async (_, typed) => {
    const { accounts, audit } = createTestAccounts(db);
    expect(await accounts.signIn(attemptBy(typed))).toEqual({ outcome: "refused" });
    const event = await lastEvent(audit);
    expect(event).toMatchObject({ type: "sign_in_failed", data: { reason: "unknown_account" } });
    expect(event?.accountId).toBeUndefined();
    expect(JSON.stringify(event)).not.toContain(typed);
  });

  test("fails when its attempt cannot be counted: nothing is evaluated", async () => {
    const { accounts, verified } = createTestAccounts(db);
    const alice = await registerAlice(accounts);
    const away = vi.spyOn(db, "getExecutor").mockImplementation(() => {
      throw new Error("the database is away");
    });
    await expect(accounts.signIn(attemptBy(alice.email))).rejects.toThrow("the database is away");
    away.mockRestore();
    expect(verified).toEqual([]);
  });

  test("passes HASHING_BUSY on", async () => {
    const cheap = createCheapHasher();
    const busy = new AppError("HASHING_BUSY", { retryAfterSeconds: 5 });
    const { accounts } = createTestAccounts(db, { hasher: { ...cheap.hasher, verify: () => Promise.reject(busy) } });
    await expect(accounts.signIn(attemptBy("alice@example.com"))).rejects.toBe(busy);
  });

  test("works with argon2id as it is configured", async () => {
    const { accounts } = createTestAccounts(db, { hasher: undefined });
    const alice = await registerAlice(accounts);
    expect(await accounts.signIn(attemptBy(alice.email))).toMatchObject({ outcome: "accepted" });
    expect(await accounts.signIn(attemptBy(alice.email, `${PASSWORD}s`))).toEqual({ outcome: "refused" });
  });
});

describe("rehashing", () => {
  const readHash = async (id: string) => {
    const tables = db.$extendTables<{ accounts: { id: string; password_hash: string } }>();
    return (await tables.selectFrom("accounts").select("password_hash").where("id", "=", id).executeTakeFirst())
      ?.password_hash;
  };

  test("happens at the next sign-in after the parameters rose, and only with the right password", async () => {
    const alice = await registerAlice(createTestAccounts(db).accounts);
    const { accounts } = createTestAccounts(db, { hasher: createCheapHasher("v2").hasher });
    await accounts.signIn(attemptBy(alice.email, "wrong password"));
    expect(await readHash(alice.id)).toMatch(/^v1:/);
    expect(await accounts.signIn(attemptBy(alice.email))).toMatchObject({ outcome: "accepted" });
    expect(await readHash(alice.id)).toMatch(/^v2:/);
    expect(await accounts.signIn(attemptBy(alice.email))).toMatchObject({ outcome: "accepted" });
  });

  test("never undoes a password that was changed meanwhile", async () => {
    const alice = await registerAlice(createTestAccounts(db).accounts);
    const { hasher } = createCheapHasher("v2");
    const { accounts } = createTestAccounts(db, {
      hasher: {
        ...hasher,
        async hash(password) {
          const tables = db.$extendTables<{ accounts: { id: string; password_hash: string } }>();
          await tables
            .updateTable("accounts")
            .set({ password_hash: "v2:changed" })
            .where("id", "=", alice.id)
            .execute();
          return hasher.hash(password);
        },
      },
    });
    await accounts.signIn(attemptBy(alice.email));
    expect(await readHash(alice.id)).toBe("v2:changed");
  });

  test("waits for another time when the server is busy: the person signs in", async () => {
    const alice = await registerAlice(createTestAccounts(db).accounts);
    const { hasher } = createCheapHasher("v2");
    const hash = () => Promise.reject(new AppError("HASHING_BUSY"));
    const { accounts } = createTestAccounts(db, { hasher: { ...hasher, hash } });
    expect(await accounts.signIn(attemptBy(alice.email))).toMatchObject({ outcome: "accepted" });
    expect(await readHash(alice.id)).toMatch(/^v1:/);
  });
});

describe("the throttle", () => {
  const tryOften = async (accounts: Accounts, count: number, email: () => string, address?: string) => {
    const attempts = Array.from({ length: count }, () => attemptBy(email(), "wrong password", address));
    const outcomes = await Promise.all(attempts.map((attempt) => accounts.signIn(attempt)));
    return outcomes.map(({ outcome }) => outcome);
  };

  test("evaluates 10 of 200 parallel wrong attempts at one account [ASVS 6.3.1]", async () => {
    const { accounts, audit, verified } = createTestAccounts(db);
    const alice = await registerAlice(accounts);
    const toldBefore = (await audit.list({ type: "sign_in_throttled", limit: 1_000 })).length;
    const outcomes = await tryOften(accounts, 200, () => alice.email);
    expect(outcomes.filter((outcome) => outcome === "refused")).toHaveLength(10);
    expect(verified).toHaveLength(10);
    const refused = await accounts.signIn(attemptBy(alice.email));
    expect(refused).toMatchObject({ outcome: "throttled", retryAfterSeconds: expect.any(Number) });
    // The log tells of the limit that was reached, once; nobody fills it by trying on.
    expect((await audit.list({ type: "sign_in_throttled", limit: 1_000 })).length).toBe(toldBefore + 1);
  });

  test("counts every spelling of an address, and unknown accounts, alike [ASVS 6.3.1]", async () => {
    const { accounts, verified } = createTestAccounts(db);
    const local = unique("nobody");
    const spellings = [`${local}@example.com`, `${local.toUpperCase()}@Example.com`, ` ${local}@ｅｘａｍｐｌｅ.com `];
    let turn = 0;
    const outcomes = await tryOften(accounts, 15, () => spellings[(turn += 1) % spellings.length] ?? "");
    expect(outcomes.filter((outcome) => outcome === "throttled")).toHaveLength(5);
    expect(verified).toHaveLength(10);
  });

  test("evaluates 50 attempts a minute from one address, and then spares the accounts' counters", async () => {
    const { accounts, audit, verified } = createTestAccounts(db);
    const alice = await registerAlice(accounts);
    const address = freshAddress();
    await tryOften(accounts, 50, () => `${unique("bob")}@example.com`, address);
    expect(await tryOften(accounts, 12, () => alice.email, address)).toEqual(Array(12).fill("throttled"));
    expect(verified).toHaveLength(50);
    expect(await lastEvent(audit)).toMatchObject({ type: "sign_in_throttled", data: { by: "address" } });
    expect(await accounts.signIn(attemptBy(alice.email))).toMatchObject({ outcome: "accepted" });
  });

  test("takes all addresses of an IPv6 /64 for one", async () => {
    const { accounts, verified } = createTestAccounts(db);
    const network = freshAddress().replace(/1$/, "");
    for (const host of ["1", "2"]) {
      await tryOften(accounts, 30, () => `${unique("bob")}@example.com`, `${network}${host}`);
    }
    expect(verified).toHaveLength(50);
  });

  test("gives the account's attempts back after a success, and the network's of a minute not", async () => {
    const { accounts, verified } = createTestAccounts(db);
    const alice = await registerAlice(accounts);
    const address = freshAddress();
    for (let round = 0; round < 5; round += 1) {
      await tryOften(accounts, 9, () => alice.email, address);
      expect(await accounts.signIn(attemptBy(alice.email, PASSWORD, address))).toMatchObject({ outcome: "accepted" });
    }
    expect(verified).toHaveLength(50);
    expect(await accounts.signIn(attemptBy(alice.email, PASSWORD, address))).toMatchObject({ outcome: "throttled" });
  });

  test("records once that a hundred failures ended a password, and that an operator lifted it [SP 800-63B-4 3.2.2]", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { accounts, audit, verified } = createTestAccounts(db);
    const alice = await registerAlice(accounts);
    for (let count = 0; count < 100; count += 1) {
      expect(await accounts.signIn(attemptBy(alice.email, "wrong"))).toEqual({ outcome: "refused" });
      vi.advanceTimersByTime(60 * MINUTE_MS);
    }
    const throttled = { outcome: "throttled", retryAfterSeconds: 3_600, needsReset: true };
    for (let count = 0; count < 3; count += 1) {
      expect(await accounts.signIn(attemptBy(alice.email))).toEqual(throttled);
    }
    expect(verified).toHaveLength(100);
    expect(await audit.list({ accountId: alice.id, type: "password_locked", limit: 5 })).toHaveLength(1);
    expect(await accounts.unlock(alice.id)).toBe(true);
    expect(await accounts.unlock(alice.id)).toBe(false);
    expect(await audit.list({ accountId: alice.id, type: "account_unlocked", limit: 5 })).toHaveLength(1);
    expect(await accounts.signIn(attemptBy(alice.email))).toMatchObject({ outcome: "accepted" });
  });

  test("holds for the 15 minutes that it names and no longer, however often somebody tries", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const { accounts } = createTestAccounts(db);
    const alice = await registerAlice(accounts);
    await tryOften(accounts, 10, () => alice.email);
    vi.advanceTimersByTime(15 * MINUTE_MS - 1_000);
    expect(await accounts.signIn(attemptBy(alice.email))).toMatchObject({ outcome: "throttled", retryAfterSeconds: 1 });
    vi.advanceTimersByTime(1_000);
    expect(await accounts.signIn(attemptBy(alice.email))).toMatchObject({ outcome: "accepted" });
  });
});
