import { afterAll, beforeAll, expect, test } from "vitest";
import { type AccountWorld, createAccountWorld, type Device, expectPage, submitTo } from "./account-world.ts";

let world: AccountWorld;

beforeAll(async () => {
  world = await createAccountWorld();
});
afterAll(() => world.close());

test("an app that is removed loses its access at once, and asks again next time [ASVS 10.4.9]", async () => {
  const device = await world.signIn(await world.addPerson());
  await world.apps.notesWeb.signIn(device.browser, device.person);
  const page = await world.openAccount(device, "/account/apps");
  expect(page.text).toMatch(/Shop You let it: See your name See your email address See your orders · At Orders/);
  expect(page.text).toMatch(/Apps of Latchkey .* Notes .*In use on Firefox on Linux/);
  const after = await submitTo(device.browser, page, { action: "/account/apps/withdraw" });
  expectPage(after, "/account/apps?done=app-removed");
  expect(after.text).toContain("You haven’t allowed any app");
  expect(await world.isActive(device.tokens.accessToken)).toBe(false);
  expect((await world.apps.shopWeb.requestRefresh(device.tokens.refreshToken)).status).toBe(400);
  const asked = await device.browser.open((await world.apps.shopWeb.begin()).url);
  expect(asked.heading).toBe("Let Shop use your account?");
});

test("an app of somebody else, or one without consent, cannot be removed", async () => {
  const [hers, his] = [await world.signIn(await world.addPerson()), await world.signIn(await world.addPerson("Bob"))];
  const page = await world.openAccount(his, "/account/apps");
  for (const client of ["notesWeb", "no-such-client", "\0"]) {
    const after = await submitTo(his.browser, page, { action: "/account/apps/withdraw", values: { client } });
    expectPage(after, "/account/apps");
  }
  expect(await world.isActive(hers.tokens.accessToken)).toBe(true);
  expect(await world.isActive(his.tokens.accessToken)).toBe(true);
});

/** What the notes app is told of its person. */
async function userInfoOf({ browser, person }: Device) {
  const { accessToken, claims } = await world.apps.notesWeb.signIn(browser, person);
  return { ask: () => world.apps.notesWeb.userInfo(accessToken, claims.sub) };
}

test("a new name and language show in userinfo, and the language on the pages", async () => {
  const device = await world.signIn(await world.addPerson());
  const userInfo = await userInfoOf(device);
  expect(await userInfo.ask()).toMatchObject({ name: "Alice Archer" });
  const page = await world.openAccount(device, "/account/profile");
  const values = { name: "  Alice   Ångström ", locale: "de" };
  const after = await submitTo(device.browser, page, { action: "/account/profile", values });
  expectPage(after, "/account?done=profile");
  expect(after.heading).toBe("Guten Tag, Alice Ångström");
  expect(await userInfo.ask()).toMatchObject({ name: "Alice Ångström", locale: "de" });
});

test("a name or a language that cannot be is refused beside its field, and what was typed is kept", async () => {
  const device = await world.signIn(await world.addPerson());
  const page = await world.openAccount(device, "/account/profile");
  for (const values of [{ name: "" }, { name: "a\u202Eb" }, { locale: "tlh" }, { locale: "x".repeat(100) }]) {
    const after = await submitTo(device.browser, page, { action: "/account/profile", values });
    expect(after.status).toBe(400);
    expect(after.html).toContain('aria-invalid="true"');
  }
  expect((await world.openAccount(device)).heading).toBe("Hello, Alice Archer");
});

test("activity tells what happened, and leaves out what is somebody else's", async () => {
  const device = await world.signIn(await world.addPerson());
  await world.latchkey.accounts.signIn({ ...device.person, password: "wrong", source: { address: "203.0.113.66" } });
  const { text } = await world.openAccount(device, "/account/activity");
  expect(text).toMatch(/Today Wrong password Nobody got in\. 203\.0\.113\.66 \d\d:\d\d/);
  expect(text).toMatch(/Shop allowed to use your account/);
  expect(text).toMatch(/Signed in to Shop Firefox on Linux · 198\.18\./);
  const stranger = await world.signIn(await world.addPerson("Bob"));
  expect((await world.openAccount(stranger, "/account/activity")).text).not.toContain("203.0.113.66");
});

test("a flood of wrong passwords is one line, and older activity is pages away", async () => {
  const device = await world.signIn(await world.addPerson());
  const source = { address: "203.0.113.67" };
  for (let guess = 0; guess < 5; guess += 1) {
    await world.latchkey.accounts.signIn({ ...device.person, password: "wrong", source });
  }
  const accountId = await world.accountIdOf(device.person.email);
  for (let at = 0; at < 45; at += 1) {
    const name = at % 2 === 0 ? "Even" : "Odd";
    await world.latchkey.accounts.changeProfile(accountId, { name, locale: undefined }, source);
  }
  const page = await world.openAccount(device, "/account/activity");
  expect(page.text).not.toContain("Wrong password");
  const older = await device.browser.click(page, /Show older activity/);
  expect(older.text).toContain("Wrong password 5 times");
  expect(older.text).toContain("Account created");
  expect(older.html).not.toContain("Show older activity");
});
