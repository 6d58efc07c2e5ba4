import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { AppError } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import { openTestEmbedded } from "../../../test/support/stores.ts";
import { createCheapHasher, createTestAccounts, freshAddress, PASSWORD, unique } from "../accounts-fixture.ts";
import type { ConfirmationMail } from "./mails.ts";

const NEW = "harbor thimble walnut";
const OVER = { code: "CONFIRMATION_OVER" };

// Each test is dozens of statements on a database in this process: slow when the machine is busy.
vi.setConfig({ testTimeout: 30_000 });

let db: Db;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ db, close } = await openTestEmbedded());
}, 30_000);

afterAll(() => close());

const sourceOf = () => ({ address: freshAddress(), requestId: "request-1" });
const needsFactor = async () => false;

/** Accounts whose mails are kept here, and somebody who has one. */
async function setUp({ isConfigured = true, emailVerified = true } = {}) {
  const sent: ConfirmationMail[] = [];
  const { hasher } = createCheapHasher();
  const hash = vi.fn((password: string) => hasher.hash(password));
  const mails = { isConfigured, enqueue: async (_: Db, mail: ConfirmationMail) => void sent.push(mail) };
  const endSessions = vi.fn(async () => ({ isComplete: true }));
  const { accounts } = createTestAccounts(db, { mails, hasher: { ...hasher, hash }, endSessions });
  const email = `${unique("nora")}@example.com`;
  const { id } = await accounts.register({ email, name: "Nora North", password: PASSWORD, emailVerified }, "operator");
  const { passwordReset, emailChange, registration } = accounts.byMail;

  const tokenTo = (address: string): string => sent.findLast(({ to }) => to === address)?.variables.token ?? "";
  const inputFor = (address: string) => ({ email: address, locale: undefined, source: sourceOf() });

  async function askForReset(): Promise<string> {
    await passwordReset.begin({ ...inputFor(email), origin: {} });
    return tokenTo(email);
  }
  async function changeEmail(to: string): Promise<void> {
    await emailChange.begin(id, inputFor(to));
    await emailChange.complete(id, tokenTo(to), sourceOf());
  }
  const signIn = async (password: string): Promise<string> =>
    (await accounts.signIn({ email, password, source: sourceOf() })).outcome;

  const person = { id, email, tokenTo, askForReset, changeEmail, signIn };
  return { ...person, sent, accounts, passwordReset, emailChange, registration, hash, endSessions };
}

const newcomer = () => ({ name: "Greta Guest", password: PASSWORD, locale: undefined, source: sourceOf() });

describe("a link for a new password", () => {
  test("stays dead when the account that was disabled is enabled again", async () => {
    const { accounts, passwordReset, askForReset, id } = await setUp();
    const token = await askForReset();
    await accounts.disable(id);
    await accounts.enable(id);
    await expect(passwordReset.find(token)).rejects.toMatchObject(OVER);
  });

  test("that went to an address from before stays dead when that comes back", async () => {
    const { passwordReset, askForReset, changeEmail, email } = await setUp();
    const token = await askForReset();
    await changeEmail(`${unique("new")}@example.com`);
    await changeEmail(email);
    await expect(passwordReset.find(token)).rejects.toMatchObject(OVER);
  });

  test("has one password hashed, however many are sent at once", async () => {
    const { passwordReset, askForReset, hash, signIn } = await setUp();
    const token = await askForReset();
    hash.mockClear();
    const complete = () => passwordReset.complete(token, { password: NEW, source: sourceOf(), needsFactor });
    const results = await Promise.allSettled([complete(), complete(), complete(), complete()]);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(hash).toHaveBeenCalledTimes(1);
    expect(await signIn(NEW)).toBe("accepted");
  });
});

describe("what ends every session", () => {
  const unavailable = new AppError("STORE_UNAVAILABLE", { retryAfterSeconds: 5 });

  test("is not done where they cannot be ended, and its link works once they can", async () => {
    const { passwordReset, emailChange, changeEmail, endSessions, tokenTo, signIn, email } = await setUp();
    await changeEmail(`${unique("thief")}@example.com`);
    const undo = tokenTo(email);
    endSessions.mockRejectedValueOnce(unavailable);
    await expect(emailChange.undo(undo, sourceOf())).rejects.toBe(unavailable);
    const token = await emailChange.undo(undo, sourceOf());
    const complete = () => passwordReset.complete(token, { password: NEW, source: sourceOf(), needsFactor });
    endSessions.mockRejectedValueOnce(unavailable);
    await expect(complete()).rejects.toBe(unavailable);
    await complete();
    expect(await signIn(NEW)).toBe("accepted");
  });
});

describe("a change of email that is undone", () => {
  test("takes the password from whoever made it: only who reads the mail chooses another", async () => {
    const { passwordReset, emailChange, changeEmail, tokenTo, signIn, email } = await setUp();
    await changeEmail(`${unique("thief")}@example.com`);
    const token = await emailChange.undo(tokenTo(email), sourceOf());
    expect(await signIn(PASSWORD)).toBe("refused");
    await passwordReset.complete(token, { password: NEW, source: sourceOf(), needsFactor });
    expect(await signIn(NEW)).toBe("accepted");
  });

  test("has been undone though somebody imported people meanwhile: the address was kept for its owner", async () => {
    const { accounts, emailChange, changeEmail, tokenTo, email, id } = await setUp();
    await changeEmail(`${unique("thief")}@example.com`);
    const lines = [{ line: 1, text: JSON.stringify({ email: email.toUpperCase() }) }];
    expect(await accounts.importPeople({ mode: "import", lines })).toEqual({
      imported: 0,
      present: [],
      refused: [{ line: 1, problem: expect.stringContaining("may still take it back") }],
    });
    await emailChange.undo(tokenTo(email), sourceOf());
    expect(await accounts.read(id)).toMatchObject({ email });
  });

  test("is not undone while the account is disabled, and can be when it is enabled", async () => {
    const { accounts, emailChange, changeEmail, tokenTo, email, id } = await setUp();
    await changeEmail(`${unique("thief")}@example.com`);
    await accounts.disable(id);
    await expect(emailChange.findUndo(tokenTo(email))).rejects.toMatchObject(OVER);
    await expect(emailChange.undo(tokenTo(email), sourceOf())).rejects.toMatchObject(OVER);
    await accounts.enable(id);
    await emailChange.undo(tokenTo(email), sourceOf());
    expect(await accounts.read(id)).toMatchObject({ email });
  });
});

test("an email that nobody had proved is told of a change, and can undo nothing: it may be a stranger's", async () => {
  const { sent, changeEmail, email } = await setUp({ emailVerified: false });
  await changeEmail(`${unique("new")}@example.com`);
  expect(sent.at(-1)).toMatchObject({ kind: "confirm.email_changed", to: email, variables: {} });
  expect(sent.at(-1)?.variables).not.toHaveProperty("token");
});

test("codes of an email are tried twenty times a day, in however many mails; its links work on [ASVS 6.6.3]", async () => {
  const { sent, accounts, passwordReset, email } = await setUp();
  const ask = async () => {
    const source = sourceOf();
    const id = await passwordReset.begin({ email, locale: undefined, source, origin: {} });
    const { variables } = sent.at(-1) ?? {};
    return {
      id,
      token: variables?.token ?? "",
      code: variables !== undefined && "code" in variables ? variables.code : "",
    };
  };
  const tryCode = (id: string, code: string) =>
    accounts.byMail.takeCode({ id, purposes: ["password_reset"], code, source: sourceOf() });
  for (let mail = 0; mail < 4; mail += 1) {
    const { id, code } = await ask();
    const wrong = code === "000000" ? "000001" : "000000";
    for (let count = 0; count < 5; count += 1) expect(await tryCode(id, wrong)).toEqual({ outcome: "refused" });
  }
  const { id, code, token } = await ask();
  expect(await tryCode(id, code)).toEqual({ outcome: "over" });
  await expect(passwordReset.find(token)).resolves.toMatchObject({ account: { email } });
});

describe("an invitation", () => {
  test.each([true, false])("proves the email where it came by mail, and not otherwise: %s", async (isConfigured) => {
    const { registration } = await setUp({ isConfigured });
    const { token } = await registration.invite({ email: `${unique("guest")}@example.com`, locale: undefined });
    expect(await registration.complete(token, newcomer())).toMatchObject({ emailVerified: isConfigured });
  });

  test("makes no second account once another one was used, though that account is gone", async () => {
    const { accounts, registration } = await setUp();
    const invited = { email: `${unique("guest")}@example.com`, locale: undefined };
    const [first, second] = [await registration.invite(invited), await registration.invite(invited)];
    const { id } = await registration.complete(first.token, newcomer());
    await accounts.remove(id, sourceOf());
    await expect(registration.complete(second.token, newcomer())).rejects.toMatchObject(OVER);
  });

  test("of somebody who has an account by now has no password hashed", async () => {
    const { accounts, registration, hash } = await setUp();
    const email = `${unique("guest")}@example.com`;
    const { token } = await registration.invite({ email, locale: undefined });
    await accounts.register({ email, name: "Greta Guest", password: PASSWORD }, "operator");
    hash.mockClear();
    await expect(registration.complete(token, newcomer())).rejects.toMatchObject({ code: "ACCOUNT_EMAIL_TAKEN" });
    expect(hash).not.toHaveBeenCalled();
  });
});
