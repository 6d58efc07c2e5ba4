import { afterAll, beforeAll, expect, test } from "vitest";
import { submitSignIn } from "../../support/journeys.ts";
import {
  type AccountWorld,
  createAccountWorld,
  type Device,
  EVERYTHING,
  expectPage,
  NOTHING,
} from "./account-world.ts";

const NEXT = "harbor-thimble-walnut-5";
let world: AccountWorld;

beforeAll(async () => {
  world = await createAccountWorld();
});
afterAll(() => world.close());

/** Sends the form with what is typed; the box for the other devices is ticked unless it is unticked here. */
async function change(device: Device, typed: { current: string; next: string; endOthers?: "no" }) {
  const page = await world.openAccount(device, "/account/password");
  const form = page.formWith("current");
  expect(form.fields.get("endOthers")).toBe("yes");
  const fields = new Map(form.fields);
  if (typed.endOthers === "no") fields.delete("endOthers");
  return device.browser.submit(page, { ...form, fields }, { values: { current: typed.current, next: typed.next } });
}

async function signsIn(person: { email: string; password: string; browserToken?: string }): Promise<boolean> {
  const { outcome } = await world.latchkey.accounts.signIn({ ...person, source: { address: "192.0.2.99" } });
  return outcome === "accepted";
}

test("a changed password ends every other session, tokens included, and not this one [ASVS 7.4.3]", async () => {
  const person = await world.addPerson();
  const [here, elsewhere] = [await world.signIn(person), await world.signIn(person)];
  const page = await change(here, { current: person.password, next: NEXT });
  expectPage(page, "/account?done=password-and-others");
  expect(page.text).toContain("every other device is signed out");
  expect(await world.accessOf(elsewhere)).toEqual(NOTHING);
  expect(await world.accessOf(here)).toEqual(EVERYTHING);
  expect(await signsIn(person)).toBe(false);
  expect(await signsIn({ ...person, password: NEXT })).toBe(true);
});

test("who unticks the box leaves the others signed in", async () => {
  const person = await world.addPerson();
  const [here, elsewhere] = [await world.signIn(person), await world.signIn(person)];
  const page = await change(here, { current: person.password, next: NEXT, endOthers: "no" });
  expectPage(page, "/account?done=password");
  expect(await world.accessOf(elsewhere)).toEqual(EVERYTHING);
});

test("a wrong current password changes nothing, and says so beside the field [ASVS 6.2.3]", async () => {
  const person = await world.addPerson();
  const [here, elsewhere] = [await world.signIn(person), await world.signIn(person)];
  const page = await change(here, { current: "not my password", next: NEXT });
  expect(page.status).toBe(400);
  expect(page.text).toContain("That isn’t your current password.");
  expect(page.html).not.toContain("not my password");
  expect(page.html).not.toContain(NEXT);
  expect(await signsIn(person)).toBe(true);
  expect(await world.accessOf(elsewhere)).toEqual(EVERYTHING);
});

test("an unacceptable new password is refused by the rules of a new account", async () => {
  const person = await world.addPerson();
  const page = await change(await world.signIn(person), { current: person.password, next: "password1234" });
  expect(page.status).toBe(400);
  expect(page.text).toContain("Many people use this password");
});

test("a stolen session guesses the password no more often than a stranger [ASVS 6.3.1]", async () => {
  const person = await world.addPerson();
  const device = await world.signIn(person);
  for (let guess = 0; guess < 10; guess += 1) await change(device, { current: `guess ${guess}`, next: NEXT });
  const page = await change(device, { current: person.password, next: NEXT });
  expect(page.status).toBe(429);
  expect(page.text).toContain("Too many attempts.");
  expect(page.headers.get("retry-after")).toMatch(/^\d+$/);
  // One counter for both places, of the browser that was stolen along; it keeps its person out nowhere else.
  const { value: browserToken = "" } = device.browser.jar.list().find(({ name }) => name === "lk_browser") ?? {};
  expect(await signsIn({ ...person, browserToken })).toBe(false);
  expect(await signsIn(person)).toBe(true);
});

test("whoever is signed out comes back to the page that was asked for", async () => {
  const person = await world.addPerson();
  const browser = world.openBrowser();
  const page = await browser.open(`${world.latchkey.issuer}/account/password`);
  expectPage(await submitSignIn(browser, page, person), "/account/password");
});
