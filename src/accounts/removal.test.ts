import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Db } from "../storage/index.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import { createTestAccounts, PASSWORD, unique } from "./accounts-fixture.ts";

const source = { address: "192.0.2.7", requestId: "request-1" };

vi.setConfig({ testTimeout: 30_000 });

let db: Db;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ db, close } = await openTestEmbedded());
}, 30_000);

afterAll(() => close());

const inputFor = (word: string) => ({ email: `${unique(word)}@example.com`, name: "Test Person", password: PASSWORD });

describe("removing an account", () => {
  test("ends its sessions first, and leaves nothing of it but the record", async () => {
    const { accounts, audit, ended } = createTestAccounts(db);
    const input = inputFor("alice");
    const { id } = await accounts.register(input, "operator");
    await accounts.remove(id, source);
    expect(ended).toEqual([id]);
    expect(await accounts.find(id)).toBeUndefined();
    expect(await audit.list({ accountId: id, type: "account_deleted", limit: 5 })).toMatchObject([
      { requestId: source.requestId },
    ]);
    expect((await accounts.register(input, "operator")).id).not.toBe(id);
  });

  test("waits while something of it could not be ended everywhere, and the person can come back", async () => {
    const { accounts, audit } = createTestAccounts(db, { endSessions: async () => ({ isComplete: false }) });
    const input = inputFor("bob");
    const { id } = await accounts.register(input, "operator");
    await expect(accounts.remove(id, source)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect((await accounts.find(id))?.disabledAt).toBeUndefined();
    expect(await accounts.signIn({ ...input, source })).toMatchObject({ outcome: "accepted" });
    expect(await audit.list({ accountId: id, type: "account_deleted", limit: 5 })).toEqual([]);
  });

  test("ends them again when one began meanwhile, and gives up when they keep beginning", async () => {
    const answers = [false, true];
    const begun = createTestAccounts(db, { forgetSessions: async () => answers.shift() ?? false });
    const { id } = await begun.accounts.register(inputFor("carol"), "operator");
    await begun.accounts.remove(id, source);
    expect(begun.ended).toEqual([id, id]);
    const other = await begun.accounts.register(inputFor("dave"), "operator");
    await expect(begun.accounts.remove(other.id, source)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await begun.accounts.find(other.id)).toBeDefined();
  });

  test("that is not there is refused", async () => {
    const { accounts } = createTestAccounts(db);
    await expect(accounts.remove("nobody", source)).rejects.toMatchObject({ code: "ACCOUNT_NOT_FOUND" });
  });
});

describe("changing a profile", () => {
  test("takes name and language by the rules of a new account, and records which of them", async () => {
    const { accounts, audit } = createTestAccounts(db);
    const { id } = await accounts.register(inputFor("alice"), "operator");
    const changed = await accounts.changeProfile(id, { name: "  Alice  Liddell ", locale: "de-at" }, source);
    expect(changed).toMatchObject({ name: "Alice Liddell", locale: "de-AT" });
    expect(await accounts.find(id)).toMatchObject({ name: "Alice Liddell", locale: "de-AT" });
    await accounts.changeProfile(id, { name: "Alice Liddell", locale: undefined }, source);
    expect((await accounts.find(id))?.locale).toBeUndefined();
    const events = await audit.list({ accountId: id, type: "profile_changed", limit: 5 });
    expect(events.map(({ data }) => data["fields"])).toEqual([["locale"], ["name", "locale"]]);
    expect(JSON.stringify(events)).not.toContain("Liddell");
  });

  test("that changes nothing leaves no trace", async () => {
    const { accounts, audit } = createTestAccounts(db);
    const before = await accounts.register(inputFor("bob"), "operator");
    expect(await accounts.changeProfile(before.id, { name: before.name, locale: undefined }, source)).toEqual(before);
    expect(await audit.list({ accountId: before.id, limit: 5 })).toHaveLength(1);
  });

  test.each([
    [{ name: " ", locale: undefined }, "name"],
    [{ name: "Alice", locale: "not a language" }, "locale"],
  ])("refuses %j by its field", async (input, field) => {
    const { accounts } = createTestAccounts(db);
    const { id } = await accounts.register(inputFor("carol"), "operator");
    await expect(accounts.changeProfile(id, input, source)).rejects.toMatchObject({ code: "INPUT_INVALID", field });
    await expect(accounts.changeProfile("nobody", { name: "A", locale: undefined }, source)).rejects.toMatchObject({
      code: "ACCOUNT_NOT_FOUND",
    });
  });
});
