import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createAudit } from "../audit/index.ts";
import { systemClock } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import { createCheapHasher, createTestAccounts, freshAddress, PASSWORD, unique } from "./accounts-fixture.ts";
import type { Accounts } from "./accounts.ts";

// Each row is dozens of statements on a database in this process: slow when the machine is busy.
vi.setConfig({ testTimeout: 60_000 });

let db: Db;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ db, close } = await openTestEmbedded());
}, 60_000);
afterAll(() => close());

/** What a form asks of the accounts, and what it is told. */
type Ask = (accounts: Accounts, email: string) => Promise<unknown>;

const signInWith =
  (password: string): Ask =>
  (accounts, email) =>
    accounts.signIn({ email, password, source: { address: freshAddress() }, clientId: "shopWeb" });

const repeated =
  (times: number, ask: Ask): Ask =>
  async (accounts, email) => {
    for (let count = 1; count < times; count += 1) await ask(accounts, email);
    return ask(accounts, email);
  };

/** Every way to ask about an address. One that is added to the pages is to be added here. */
const PATHS: readonly (readonly [string, Ask])[] = [
  ["a sign-in", signInWith("a wrong password")],
  ["a sign-in that reaches the limit", repeated(11, signInWith("a wrong password"))],
  ["a sign-in after the limit", repeated(13, signInWith("a wrong password"))],
];

/** The steps of an answer: statements with their tables, and hashings, in their order. A mail is a row of the outbox. */
async function stepsOf(ask: Ask, email: string) {
  const steps: string[] = [];
  const recording = db.withPlugin({
    transformQuery({ node }) {
      const [, table = ""] = /"SchemableIdentifierNode".*?"name":"(\w+)"/.exec(JSON.stringify(node)) ?? [];
      const [raw = ""] = "sqlFragments" in node ? node.sqlFragments : [];
      steps.push(`${node.kind} ${table}${raw.trim().slice(0, 40)}`);
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const { hasher } = createCheapHasher();
  const { accounts } = createTestAccounts(recording, {
    audit: createAudit({ db: recording, clock: systemClock }),
    hasher: {
      ...hasher,
      verify: (hash, typed) => (steps.push("verify"), hasher.verify(hash, typed)),
      hash: (password) => (steps.push("hash"), hasher.hash(password)),
    },
  });
  return { answer: await ask(accounts, email), steps };
}

test.each(PATHS)("%s takes the same steps for known and unknown addresses [ASVS 6.3.8]", async (_, ask) => {
  const { accounts } = createTestAccounts(db);
  const register = () => {
    const email = `${unique("alice")}@example.com`;
    return accounts.register({ email, name: "Alice", password: PASSWORD }, { address: freshAddress() });
  };
  const [alice, bob] = [await register(), await register()];
  await accounts.disable(bob.id);
  const known = await stepsOf(ask, alice.email);
  expect(known.steps.length).toBeGreaterThan(3);
  for (const email of [bob.email, `${unique("nobody")}@example.com`, `${unique("not")} an address`]) {
    expect(await stepsOf(ask, email)).toEqual(known);
  }
});

test("the right password of a disabled account takes the steps of a wrong one [ASVS 6.3.8]", async () => {
  const { accounts } = createTestAccounts(db);
  const email = `${unique("bob")}@example.com`;
  const bob = await accounts.register({ email, name: "Bob", password: PASSWORD }, { address: freshAddress() });
  await accounts.disable(bob.id);
  const right = await stepsOf(signInWith(PASSWORD), email);
  expect(right).toEqual(await stepsOf(signInWith("a wrong password"), `${unique("nobody")}@example.com`));
});
