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
  const carol = { email: CAROL, name: "Carol", password: PASSWORD };
  await createTestAccounts(db).accounts.register(carol, "operator");
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

const source = () => ({ address: freshAddress() });
const origin = {};

const register: Ask = async (accounts, email) => {
  await accounts.byMail.registration.begin({ email, locale: "en", source: source(), origin });
};
const reset: Ask = async (accounts, email) => {
  await accounts.byMail.passwordReset.begin({ email, locale: "en", source: source(), origin });
};

/** Somebody who is signed in, and wants to have the address. */
const changeEmail: Ask = async (accounts, email) => {
  const carol = await accounts.findByEmail(CAROL);
  await accounts.byMail.emailChange.begin(carol?.id ?? "", { email, locale: "en", source: source() });
};

/** The code of the mail, typed wrong. */
const typeCode =
  (purpose: "registration" | "password_reset"): Ask =>
  async (accounts, email) => {
    const flow = purpose === "registration" ? accounts.byMail.registration : accounts.byMail.passwordReset;
    const id = await flow.begin({ email, locale: "en", source: source(), origin });
    const isPending = (await accounts.byMail.findPending(id, [purpose])) !== undefined;
    return [isPending, await accounts.byMail.takeCode({ id, purposes: [purpose], code: "000000", source: source() })];
  };

const CAROL = "carol@example.com";

/** Every way to ask about an address. One that is added to the pages is to be added here. */
const PATHS: readonly (readonly [string, Ask])[] = [
  ["a sign-in", signInWith("a wrong password")],
  ["a sign-in that reaches the limit", repeated(11, signInWith("a wrong password"))],
  ["a sign-in after the limit", repeated(13, signInWith("a wrong password"))],
  ["a registration", register],
  ["a request for a new password", reset],
  ["a change of address", changeEmail],
  ["a code of a registration", typeCode("registration")],
  ["a code of a reset", repeated(2, typeCode("password_reset"))],
];

/** What is no address is refused by these as soon as it is read. */
const NEEDS_ADDRESS: ReadonlySet<Ask> = new Set(PATHS.slice(3).map(([, ask]) => ask));

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
    mails: {
      isConfigured: true,
      enqueue: async (_, { to }) => void steps.push(`mail to ${to === email ? "them" : to}`),
    },
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
  const registerOne = () => {
    const email = `${unique("alice")}@example.com`;
    return accounts.register({ email, name: "Alice", password: PASSWORD }, { address: freshAddress() });
  };
  const [alice, bob] = [await registerOne(), await registerOne()];
  await accounts.disable(bob.id);
  const known = await stepsOf(ask, alice.email);
  expect(known.steps.length).toBeGreaterThan(3);
  const others = [bob.email, `${unique("nobody")}@example.com`];
  for (const email of NEEDS_ADDRESS.has(ask) ? others : [...others, `${unique("not")} an address`]) {
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
