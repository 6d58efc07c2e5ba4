import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { sha256 } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import { createTestAccounts, PASSWORD, unique } from "./accounts-fixture.ts";
import { createKnownDevices } from "./known-devices.ts";

const DAY_SECONDS = 86_400;

vi.setConfig({ testTimeout: 30_000 });

let db: Db;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ db, close } = await openTestEmbedded());
}, 30_000);

afterAll(() => close());

function scene() {
  let nowMs = Date.now();
  const devices = createKnownDevices({ db, clock: { nowMs: () => nowMs } });
  const register = async (): Promise<string> => {
    const input = { email: `${unique("known")}@example.com`, name: "Alice", password: PASSWORD };
    return (await createTestAccounts(db).accounts.register(input, "operator")).id;
  };
  return { devices, register, passSeconds: (seconds: number) => void (nowMs += seconds * 1_000) };
}

test("a browser that completed a sign-in is known to that account and no other, by a digest of its token", async () => {
  const { devices, register } = scene();
  const [alice, bob] = [await register(), await register()];
  const token = await devices.note(alice, undefined);
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(await devices.recognize(alice, token)).toEqual({
    id: sha256(token).toString("base64url"),
    isTrusted: false,
  });
  expect(await devices.recognize(bob, token)).toBeUndefined();
  expect(await devices.recognize(alice, undefined)).toBeUndefined();
  expect(await devices.note(alice, token)).toBe(token);
});

test.each(["", "short", "a".repeat(44), "é".repeat(43), "a".repeat(42).concat("\u0000")])(
  "the malformed token %j is known to nobody, and replaced",
  async (token) => {
    const { devices, register } = scene();
    const alice = await register();
    expect(await devices.recognize(alice, token)).toBeUndefined();
    expect(await devices.note(alice, token)).toMatch(/^[\w-]{43}$/);
  },
);

test("a token that somebody else planted is replaced, and opens nothing to who knows it", async () => {
  const { devices, register } = scene();
  const [alice, mallory] = [await register(), await register()];
  const planted = await devices.note(mallory, undefined, { trustForSeconds: DAY_SECONDS });
  const token = await devices.note(alice, planted, { trustForSeconds: DAY_SECONDS });
  expect(token).not.toBe(planted);
  expect(await devices.recognize(alice, planted)).toBeUndefined();
  expect(await devices.recognize(mallory, planted)).toBeUndefined();
  // The browser is still known to both who share it.
  expect(await devices.recognize(alice, token)).toMatchObject({ isTrusted: true });
  expect(await devices.recognize(mallory, token)).toMatchObject({ isTrusted: true });
});

test("trust ends when its time is over, and at once with distrust; the browser stays known", async () => {
  const { devices, register, passSeconds } = scene();
  const alice = await register();
  const token = await devices.note(alice, undefined, { trustForSeconds: DAY_SECONDS });
  passSeconds(DAY_SECONDS - 1);
  await devices.note(alice, token);
  expect(await devices.recognize(alice, token)).toMatchObject({ isTrusted: true });
  passSeconds(1);
  expect(await devices.recognize(alice, token)).toMatchObject({ isTrusted: false });
  await devices.note(alice, token, { trustForSeconds: DAY_SECONDS });
  await devices.distrust(alice);
  expect(await devices.recognize(alice, token)).toMatchObject({ isTrusted: false });
});

test("distrust within a transaction that is rolled back changes nothing", async () => {
  const { devices, register } = scene();
  const alice = await register();
  const token = await devices.note(alice, undefined, { trustForSeconds: DAY_SECONDS });
  const failing = db.transaction().execute(async (tx) => {
    await devices.distrust(alice, tx);
    throw new Error("it went wrong");
  });
  await expect(failing).rejects.toThrow("it went wrong");
  expect(await devices.recognize(alice, token)).toMatchObject({ isTrusted: true });
});

test("a browser is forgotten 180 days after its last use, and swept then", async () => {
  const { devices, register, passSeconds } = scene();
  const alice = await register();
  await devices.sweep();
  const token = await devices.note(alice, undefined);
  passSeconds(100 * DAY_SECONDS);
  await devices.note(alice, token);
  passSeconds(180 * DAY_SECONDS - 1);
  expect(await devices.recognize(alice, token)).toBeDefined();
  passSeconds(1);
  expect(await devices.recognize(alice, token)).toBeUndefined();
  expect(await devices.sweep()).toBeGreaterThanOrEqual(1);
  expect(await devices.sweep()).toBe(0);
});

test("an account has 50 browsers: the one that was used longest ago goes for the 51st", async () => {
  const { devices, register, passSeconds } = scene();
  const alice = await register();
  const tokens: string[] = [];
  for (let count = 0; count < 50; count += 1) {
    tokens.push(await devices.note(alice, undefined));
    passSeconds(1);
  }
  expect(await devices.recognize(alice, tokens[0])).toBeDefined();
  await devices.note(alice, tokens[0]);
  passSeconds(1);
  await devices.note(alice, undefined);
  expect(await devices.recognize(alice, tokens[0])).toBeDefined();
  expect(await devices.recognize(alice, tokens[1])).toBeUndefined();
  expect(await devices.recognize(alice, tokens[2])).toBeDefined();
});

test("a browser that was seen by a password is news no more, and nothing else: it is not known to second factors", async () => {
  const { devices, register, passSeconds } = scene();
  const alice = { id: await register(), createdAt: new Date(0) };
  expect(await devices.isNews(alice, undefined)).toBe(true);
  const token = await devices.note(alice.id, undefined, { provedBy: "password" });
  expect(await devices.isNews(alice, token)).toBe(false);
  expect(await devices.isNews(alice, undefined)).toBe(true);
  expect(await devices.recognize(alice.id, token)).toBeUndefined();
  expect(await devices.note(alice.id, token, { provedBy: "password" })).toBe(token);
  passSeconds(180 * DAY_SECONDS);
  expect(await devices.isNews(alice, token)).toBe(true);
});

test("a token that was only seen is replaced when a factor is proved: who planted it by a password gains nothing", async () => {
  const { devices, register } = scene();
  const alice = { id: await register(), createdAt: new Date(0) };
  const planted = await devices.note(alice.id, undefined, { provedBy: "password" });
  const token = await devices.note(alice.id, planted, { provedBy: "factor", trustForSeconds: DAY_SECONDS });
  expect(token).not.toBe(planted);
  expect(await devices.recognize(alice.id, planted)).toBeUndefined();
  expect(await devices.isNews(alice, planted)).toBe(true);
  expect(await devices.isNews(alice, token)).toBe(false);
  expect(await devices.note(alice.id, token, { provedBy: "password" })).toBe(token);
});

test("the first browser of an account is no news for an hour, and a second one is", async () => {
  const { devices, register, passSeconds } = scene();
  const bob = { id: await register(), createdAt: new Date() };
  passSeconds(59 * 60);
  expect(await devices.isNews(bob, undefined)).toBe(false);
  passSeconds(2 * 60);
  expect(await devices.isNews(bob, undefined)).toBe(true);
  const carol = { id: await register(), createdAt: new Date(Date.now() + 61 * 60 * 1_000) };
  await devices.note(carol.id, undefined, { provedBy: "password" });
  expect(await devices.isNews(carol, undefined)).toBe(true);
});

test("however many browsers were seen by a password, those that proved a factor stay known", async () => {
  const { devices, register, passSeconds } = scene();
  const alice = await register();
  const known = await devices.note(alice, undefined, { provedBy: "factor" });
  const first = await devices.note(alice, undefined, { provedBy: "password" });
  for (let count = 0; count < 50; count += 1) {
    passSeconds(1);
    await devices.note(alice, undefined, { provedBy: "password" });
  }
  expect(await devices.recognize(alice, known)).toBeDefined();
  const account = { id: alice, createdAt: new Date(0) };
  expect(await devices.isNews(account, known)).toBe(false);
  expect(await devices.isNews(account, first)).toBe(true);
});
