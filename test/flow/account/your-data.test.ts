import { afterAll, beforeAll, expect, test } from "vitest";
import { submitSignIn } from "../../support/journeys.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { type AccountWorld, createAccountWorld, type Device, expectPage, NOTHING, submitTo } from "./account-world.ts";

const FRESH_SECONDS = 15 * 60;
let world: AccountWorld;

beforeAll(async () => {
  world = await createAccountWorld();
});
afterAll(() => world.close());

async function remove(device: Device, email = device.person.email) {
  const page = await world.openAccount(device, "/account/delete");
  return submitTo(device.browser, page, { action: "/account/delete", values: { email } });
}

test("the copy of one's data has everything and no secret", async () => {
  const device = await world.signIn(await world.addPerson());
  await world.signIn(device.person);
  const { status, headers, html } = await world.openAccount(device, "/account/data.json");
  expect(status).toBe(200);
  expect(headers.get("content-disposition")).toBe('attachment; filename="account.json"');
  expect(headers.get("cache-control")).toBe("no-store");
  const copy: unknown = JSON.parse(html);
  expect(copy).toMatchObject({
    account: { email: device.person.email, name: "Alice Archer" },
    sessions: [{ device: "Firefox on Linux" }, { device: "Firefox on Linux" }],
    consents: [{ client: { id: "shopWeb" }, access: { identityScopes: ["profile", "email"] } }],
    activityIsComplete: true,
  });
  expect(html).toContain("account_registered");
  expect(html).not.toMatch(/argon2|password_?hash|secret|otter/i);
  const { tokens, browser } = device;
  const cookies = browser.jar.headerFor(new URL(world.latchkey.issuer)).split(/[;=] */);
  for (const secret of [tokens.accessToken, tokens.refreshToken, ...cookies.filter((part) => part.length > 20)]) {
    expect(html).not.toContain(secret);
  }
});

test("a deleted account is dead everywhere, and its address begins anew under another id", async () => {
  const person = await world.addPerson();
  const [here, elsewhere] = [await world.signIn(person), await world.signIn(person)];
  const { sub } = here.tokens.claims;
  const page = await remove(here);
  expectPage(page, "/signed-out?done=account-deleted");
  expect(page.heading).toBe("Your account is deleted");
  for (const device of [here, elsewhere]) expect(await world.accessOf(device)).toEqual(NOTHING);
  expect(await world.latchkey.accounts.find(sub)).toBeUndefined();
  const events = await world.latchkey.audit.list({ accountId: sub, limit: 100 });
  expect(events.find(({ type }) => type === "account_deleted")).toMatchObject({ requestId: expect.any(String) });
  expect(events.map(({ type }) => type)).toContain("session_started");
  // What happened stays, and where the person was does not.
  expect(events.filter(({ address, device }) => address !== undefined || device !== undefined)).toEqual([]);
  await expect.poll(async () => (await world.latchkey.auditChain.verify()).waiting, { timeout: 10_000 }).toBe(0);
  expect(await world.latchkey.auditChain.verify()).toMatchObject({ verdict: "intact" });

  const again = await world.latchkey.accounts.register(person, "operator");
  expect(again.id).not.toBe(sub);
  const device = await world.signIn(person);
  expect(device.tokens.claims.sub).toBe(again.id);
  for (const old of [here, elsewhere]) expect(await world.isActive(old.tokens.accessToken)).toBe(false);
  expect((await world.openAccount(device, "/account/devices")).text).not.toContain("other device");
});

test("an address that is not the account's deletes nothing", async () => {
  const device = await world.signIn(await world.addPerson());
  for (const email of ["", "mallory@example.com", `${device.person.email}.example`]) {
    const page = await remove(device, email);
    expect(page.status).toBe(400);
    expect(page.text).toContain("That isn’t the email of this account.");
  }
  expect((await remove(device, ` ${device.person.email.toUpperCase()} `)).heading).toBe("Your account is deleted");
});

test("who proved it long ago proves it again, and comes back [ASVS 7.5.1]", async () => {
  const device = await world.signIn(await world.addPerson());
  const time = startTimeTravel();
  time.advanceSeconds(FRESH_SECONDS + 5);
  for (const path of ["/account/delete", "/account/data"]) {
    const asked = await world.openAccount(device, path === "/account/data" ? "/account/data.json" : path);
    expect(asked.text).toContain("enter your password once more");
    expectPage(await submitSignIn(device.browser, asked, device.person), path);
    time.advanceSeconds(FRESH_SECONDS + 5);
  }
  const form = await world.openAccount(device, "/account");
  const body = new URLSearchParams({
    csrf: form.formWith("csrf").fields.get("csrf") ?? "",
    email: device.person.email,
  });
  const { status, headers } = await device.browser.fetch(`${world.latchkey.issuer}/account/delete`, {
    method: "POST",
    body,
  });
  expect(status).toBe(303);
  expect(headers.get("location")).toMatch(/^\/authorize\?/);
  expect(await world.latchkey.accounts.findByEmail(device.person.email)).toBeDefined();
});
