import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isAppError } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import { createTestAccounts, freshAddress, PASSWORD, unique } from "./accounts-fixture.ts";

const source = { address: "192.0.2.7", requestId: "request-1" };

// Each test is dozens of statements on a database in this process: slow when the machine is busy.
vi.setConfig({ testTimeout: 30_000 });

let db: Db;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ db, close } = await openTestEmbedded());
}, 30_000);

afterAll(() => close());

const inputFor = (word: string) => ({ email: `${unique(word)}@example.com`, name: "Test Person", password: PASSWORD });

describe("registration", () => {
  test("makes an account with a random id of 128 bits, and tells the audit log", async () => {
    const { accounts, audit } = createTestAccounts(db);
    const input = { ...inputFor("Alice"), name: "  Alice  Liddell", locale: "de-at" };
    const account = await accounts.register(input, source);
    expect(account).toMatchObject({ email: input.email, name: "Alice Liddell", locale: "de-AT", emailVerified: false });
    expect(account.id).toMatch(/^[\w-]{22}$/);
    expect(account.disabledAt).toBeUndefined();
    expect(account.createdAt).toEqual(account.updatedAt);
    expect(await audit.list({ accountId: account.id, limit: 10 })).toMatchObject([
      { type: "account_registered", ...source },
    ]);
    expect(await accounts.find(account.id)).toEqual(account);
  });

  test("keeps neither the password nor its hash in what it returns", async () => {
    const { accounts } = createTestAccounts(db);
    const account = await accounts.register(inputFor("bob"), "operator");
    expect(JSON.stringify(account)).not.toMatch(/hash|plum|v1:/i);
  });

  test("refuses every spelling of an address that is taken", async () => {
    const { accounts, audit } = createTestAccounts(db);
    const local = unique("alice");
    const input = { ...inputFor("alice"), email: `${local}@example.com` };
    const account = await accounts.register(input, "operator");
    for (const email of [
      `${local.toUpperCase()}@Example.COM`,
      ` ${local}@example.com `,
      `${local}@ｅｘａｍｐｌｅ.com`,
    ]) {
      await expect(accounts.register({ ...input, email }, "operator")).rejects.toMatchObject({
        code: "ACCOUNT_EMAIL_TAKEN",
      });
      expect(await accounts.findByEmail(email)).toEqual(account);
    }
    expect(await audit.list({ accountId: account.id, limit: 10 })).toHaveLength(1);
  });

  test("has one winner among 20 that run in parallel", async () => {
    const { accounts } = createTestAccounts(db);
    const input = inputFor("alice");
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => accounts.register(input, "operator")));
    const refusals = results.filter((result) => result.status === "rejected");
    expect(refusals).toHaveLength(19);
    for (const { reason } of refusals) expect(reason).toMatchObject({ code: "ACCOUNT_EMAIL_TAKEN" });
  });

  test.each([
    ["email", { email: "alice@localhost" }],
    ["name", { name: " " }],
    ["locale", { locale: "english please" }],
    ["password", { password: "plum umbrella \uD800" }],
  ] as const)("names the field %s when it cannot be used", async (field, change) => {
    const { accounts } = createTestAccounts(db);
    const refused = accounts.register({ ...inputFor("mallory"), ...change }, "operator");
    await expect(refused).rejects.toMatchObject({ code: "INPUT_INVALID", field, detail: field });
  });

  test.each([
    ["too_short", "plum umbrel"],
    ["too_long", "plum umbrella ".repeat(80)],
    ["too_common", "Password1234"],
    ["own_words", "test.person!"],
  ])("says %s of such a password", async (reason, password) => {
    const { accounts } = createTestAccounts(db);
    const refused = accounts.register({ ...inputFor("mallory"), password }, "operator");
    await expect(refused).rejects.toMatchObject({ code: "PASSWORD_UNACCEPTABLE", reason, detail: reason });
  });
});

describe("finding accounts", () => {
  test("an unknown id, an unknown address and text that is none find nothing", async () => {
    const { accounts } = createTestAccounts(db);
    expect(await accounts.find("nobody")).toBeUndefined();
    expect(await accounts.findByEmail("nobody@example.com")).toBeUndefined();
    expect(await accounts.findByEmail("nobody")).toBeUndefined();
  });

  test("pages through all of them, each once", async () => {
    const { accounts } = createTestAccounts(db);
    const ids = new Set<string>();
    for (const word of ["p", "q", "r", "s", "t"]) ids.add((await accounts.register(inputFor(word), "operator")).id);
    const seen: string[] = [];
    let after: string | undefined;
    for (let page = 0; page < 100; page += 1) {
      const found = await accounts.list({ limit: 2, after });
      expect(found.length).toBeLessThanOrEqual(2);
      seen.push(...found.map(({ id }) => id));
      after = found.at(-1)?.id;
      if (after === undefined) break;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining([...ids]));
  });

  test.each([0, 1_001, 1.5])("a page of %d accounts is refused", async (limit) => {
    const { accounts } = createTestAccounts(db);
    await expect(accounts.list({ limit })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  });
});

test("of 31 registrations in ten minutes from one address, 30 are considered [ASVS 6.3.1]", async () => {
  const { accounts } = createTestAccounts(db);
  const input = inputFor("taken");
  await accounts.register(input, "operator");
  const attempts = Array.from({ length: 31 }, () => accounts.register(input, { address: "192.0.2.30" }));
  const refusals = (await Promise.allSettled(attempts)).map((result) =>
    result.status === "rejected" && isAppError(result.reason) ? result.reason.code : "registered",
  );
  expect(refusals.filter((code) => code === "ACCOUNT_EMAIL_TAKEN")).toHaveLength(30);
  expect(refusals.filter((code) => code === "THROTTLED")).toHaveLength(1);
  await expect(accounts.register(inputFor("bob"), { address: "192.0.2.31" })).resolves.toMatchObject({});
});

describe("disabling an account", () => {
  test("is recorded, ends its sessions and stops sign-ins until it is enabled again", async () => {
    const { accounts, audit, ended } = createTestAccounts(db);
    const input = inputFor("bob");
    const { id } = await accounts.register(input, "operator");
    const attempt = { email: input.email, password: PASSWORD, source: { address: freshAddress() } };

    expect((await accounts.disable(id)).disabledAt).toBeInstanceOf(Date);
    expect(ended).toEqual([id]);
    expect(await accounts.signIn(attempt)).toEqual({ outcome: "refused" });

    expect((await accounts.enable(id)).disabledAt).toBeUndefined();
    expect(await accounts.signIn(attempt)).toMatchObject({ outcome: "accepted", account: { id } });
    const types = (await audit.list({ accountId: id, limit: 10 })).map(({ type }) => type);
    expect(types).toEqual([
      "sign_in_succeeded",
      "account_enabled",
      "sign_in_failed",
      "account_disabled",
      "account_registered",
    ]);
  });

  test("is committed before its sessions are ended, and ends them again when it is repeated", async () => {
    const disabledWhenEnding: (boolean | undefined)[] = [];
    const { accounts, audit } = createTestAccounts(db, {
      endSessions: async (accountId) => {
        const account = await accounts.find(accountId);
        disabledWhenEnding.push(account?.disabledAt !== undefined);
        if (disabledWhenEnding.length === 1) throw new Error("the session store is away");
        return { isComplete: true };
      },
    });
    const { id } = await accounts.register(inputFor("bob"), "operator");
    await expect(accounts.disable(id)).rejects.toThrow("the session store is away");
    const { disabledAt } = await accounts.disable(id);
    expect(disabledAt).toEqual((await accounts.find(id))?.disabledAt);
    expect(disabledWhenEnding).toEqual([true, true]);
    expect(await audit.list({ accountId: id, type: "account_disabled", limit: 10 })).toHaveLength(1);
  });

  test("of somebody unknown says so and ends nothing", async () => {
    const { accounts, ended } = createTestAccounts(db);
    await expect(accounts.disable("nobody")).rejects.toMatchObject({ code: "ACCOUNT_NOT_FOUND" });
    await expect(accounts.enable("nobody")).rejects.toMatchObject({ code: "ACCOUNT_NOT_FOUND" });
    expect(ended).toEqual([]);
  });
});
