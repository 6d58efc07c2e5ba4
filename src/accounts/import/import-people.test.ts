import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Db } from "../../storage/index.ts";
import { openTestEmbedded } from "../../../test/support/stores.ts";
import type { AccountsDependencies } from "../accounts.ts";
import { createTestAccounts, freshAddress, unique } from "../accounts-fixture.ts";

vi.setConfig({ testTimeout: 60_000 });

/** libxcrypt's, of "plum umbrella glacier". */
const BCRYPT = "$2y$06$abcdefghijklmnopqrstuutv/zp5NKZCLkxl6aYMyK0Qv16p7B7f6";
const PASSWORD = "plum umbrella glacier";
const EMPTY = { imported: 0, present: [], refused: [] };

let db: Db;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ db, close } = await openTestEmbedded());
}, 120_000);
afterAll(() => close());

const anEmail = (): string => `${unique("person")}@example.com`;

/** Accounts with hashes as they are, and a way to import. */
function createScene(overrides: Partial<AccountsDependencies> = {}) {
  const { accounts, audit } = createTestAccounts(db, { hasher: undefined, ...overrides });
  const importAll = (people: readonly (object | string)[], mode: "import" | "dryRun" = "import") =>
    accounts.importPeople({
      mode,
      lines: people.map((person, at) => ({
        line: at + 1,
        text: typeof person === "string" ? person : JSON.stringify(person),
      })),
    });
  const signIn = async (email: string, password: string) =>
    (await accounts.signIn({ email, password, source: { address: freshAddress() } })).outcome;
  return { accounts, audit, importAll, signIn };
}

const keptHashOf = async (email: string): Promise<string | undefined> =>
  (await sql<{ hash: string }>`select password_hash as hash from accounts where email = ${email}`.execute(db)).rows[0]
    ?.hash;

describe("an imported person", () => {
  test("is there with all that the other system knew, and the audit log says how", async () => {
    const { accounts, audit, importAll } = createScene();
    const email = anEmail();
    const id = `auth0|${unique("5f7c8ec7c33c6c004bbafe")}`;
    const createdAt = "2019-05-01T12:00:00Z";
    const person = { id, email, name: "Álice  Ames", locale: "de_CH", emailVerified: true, disabled: true, createdAt };
    expect(await importAll([person])).toEqual({ ...EMPTY, imported: 1 });
    const account = await accounts.find(id);
    expect(account).toMatchObject({
      id,
      email,
      name: "Álice Ames",
      locale: "de-CH",
      emailVerified: true,
      createdAt: new Date(createdAt),
      passwordChangedAt: new Date(createdAt),
      disabledAt: expect.any(Date),
    });
    expect(await audit.list({ accountId: id, limit: 5 })).toMatchObject([
      { type: "account_imported", data: { keptId: true } },
    ]);
  });

  test("of whom only the address is known gets an id of ours and a name, and no password", async () => {
    const { accounts, importAll, signIn } = createScene();
    const email = anEmail();
    expect(await importAll([{ email }])).toEqual({ ...EMPTY, imported: 1 });
    expect(await accounts.findByEmail(email)).toMatchObject({
      id: expect.stringMatching(/^[\w-]{22}$/),
      name: email.replace("@example.com", ""),
      emailVerified: false,
      locale: undefined,
      disabledAt: undefined,
    });
    for (const password of ["", "!", PASSWORD]) expect(await signIn(email, password)).toBe("refused");
  });

  test("signs in with the password of before, and has a hash of ours from then on [ASVS 11.4.2]", async () => {
    const { importAll, signIn } = createScene();
    const email = anEmail();
    await importAll([{ email, passwordHash: BCRYPT }]);
    expect(await signIn(email, `${PASSWORD}!`)).toBe("refused");
    expect(await keptHashOf(email)).toMatch(/^\$2b\$06\$/);
    expect(await signIn(email, PASSWORD)).toBe("accepted");
    expect(await keptHashOf(email)).toMatch(/^\$argon2id\$v=19\$m=19456,/);
    expect(await signIn(email, PASSWORD)).toBe("accepted");
    expect(await signIn(email, `${PASSWORD}!`)).toBe("refused");
  });

  test("who is disabled stays out", async () => {
    const { accounts, importAll, signIn } = createScene();
    const email = anEmail();
    await importAll([{ email, passwordHash: BCRYPT, disabled: true }]);
    expect(await signIn(email, PASSWORD)).toBe("refused");
    await accounts.enable((await accounts.findByEmail(email))?.id ?? "");
    expect(await signIn(email, PASSWORD)).toBe("accepted");
  });
});

describe("an import", () => {
  test("leaves who is there as they are, however often it is repeated and however the address is written", async () => {
    const { accounts, importAll } = createScene();
    const [one, two] = [anEmail(), anEmail()];
    expect(await importAll([{ email: one, name: "First" }])).toEqual({ ...EMPTY, imported: 1 });
    const again = await importAll([
      { email: one.toUpperCase(), name: "Second" },
      { email: two },
      { email: ` ${two} ` },
    ]);
    expect(again).toEqual({ imported: 1, present: [1, 3], refused: [] });
    expect(await accounts.findByEmail(one)).toMatchObject({ name: "First" });
  });

  test("adds each person once when it runs twice at the same time", async () => {
    const { importAll } = createScene();
    const people = Array.from({ length: 20 }, () => ({ email: anEmail() }));
    const reports = await Promise.all([importAll(people), importAll(people)]);
    expect(reports.reduce((sum, { imported }) => sum + imported, 0)).toBe(20);
    expect(reports.reduce((sum, { present }) => sum + present.length, 0)).toBe(20);
  });

  test("that is tried says what would become of each line, and adds nobody", async () => {
    const { accounts, importAll } = createScene();
    const email = anEmail();
    const report = await importAll([{ email }, "{", { email }], "dryRun");
    expect(report).toEqual({
      imported: 1,
      present: [3],
      refused: [{ line: 2, problem: "the line is no JSON object" }],
    });
    expect(await accounts.findByEmail(email)).toBeUndefined();
  });

  test("gives nobody an id that is a client's, another account's, or was that of one that was deleted", async () => {
    const clientId = "billing-service";
    const { accounts, importAll } = createScene({
      clientIdsAmong: async (_, ids) => new Set(ids.filter((id) => id === clientId)),
    });
    const [taken, former] = [unique("taken-"), unique("former-")];
    await importAll([
      { email: anEmail(), id: taken },
      { email: anEmail(), id: former },
    ]);
    await accounts.remove(former, { address: freshAddress() });
    const fresh = unique("fresh-");
    const ids = [clientId, taken, former, fresh, fresh];
    expect(await importAll(ids.map((id) => ({ email: anEmail(), id })))).toEqual({
      imported: 1,
      present: [],
      refused: [
        { line: 1, problem: "id is that of a client" },
        { line: 2, problem: "id is that of another account" },
        { line: 3, problem: "id was that of an account that was deleted" },
        { line: 5, problem: "id is that of another account" },
      ],
    });
  });

  test.each<[problem: string, line: object | string]>([
    ["the line is no JSON object", ""],
    ["the line is no JSON object", "[]"],
    ["email is not text", {}],
    ["email is no address", { email: "alice" }],
    ["the line has fields that are not known: email_verified", { email: "a@example.com", email_verified: true }],
    ["the line has fields that are not known", { email: "a@example.com", "mallory@example.com": true }],
    ["id is not 1 to 64 letters, digits and . _ | : -", { email: "a@example.com", id: "../admin" }],
    ["id is not 1 to 64 letters, digits and . _ | : -", { email: "a@example.com", id: "x".repeat(65) }],
    [
      "name is empty, longer than 200 characters, or has signs that cannot be seen",
      { email: "a@example.com", name: "\u202Eecila" },
    ],
    ["locale is no language tag such as de or de-CH", { email: "a@example.com", locale: "deutsch, bitte" }],
    ["emailVerified is neither true nor false", { email: "a@example.com", emailVerified: "yes" }],
    ["createdAt is no time such as 2024-05-01T12:00:00Z", { email: "a@example.com", createdAt: 1714564800 }],
    ["createdAt is before 1990, or has yet to come", { email: "a@example.com", createdAt: "2999-01-01T00:00:00Z" }],
    ["passwordHash is of no known text format", { email: "a@example.com", passwordHash: "hunter2" }],
    [
      "passwordHash.N is not a whole number",
      { email: "a@example.com", passwordHash: { algorithm: "scrypt", N: 1.5, r: 8, p: 1, salt: "", hash: "" } },
    ],
    [
      "passwordHash asks for more than N × r × p = 1048576",
      {
        email: "a@example.com",
        passwordHash: {
          algorithm: "scrypt",
          N: 2 ** 30,
          r: 8,
          p: 1,
          salt: "MDEyMzQ1Njc4OWFiY2RlZg==",
          hash: "MDEyMzQ1Njc4OWFiY2RlZg==",
        },
      },
    ],
  ])("refuses a line because %s, and the lines around it go in [ASVS 16.2.5]", async (problem, line) => {
    const { importAll } = createScene();
    const report = await importAll([{ email: anEmail() }, line, { email: anEmail() }]);
    expect(report).toEqual({ imported: 2, present: [], refused: [{ line: 2, problem }] });
  });
});
