import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type AccountWorld,
  createAccountWorld,
  type Device,
  EVERYTHING,
  expectPage,
  NOTHING,
  SAFARI,
  submitTo,
} from "./account-world.ts";

const END = "/account/devices/end";
let world: AccountWorld;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-places-"));
  const PLACES_FILE = join(folder, "places.csv");
  await writeFile(PLACES_FILE, "203.0.113.0/24,Sweden\n203.0.113.64/26,Malmö, <third> floor\n2001:db8::/32,Lyon\n");
  world = await createAccountWorld({ PLACES_FILE });
  // It was read at the start, and is not needed any more.
  await rm(folder, { recursive: true });
});
afterAll(() => world.close());

/** Ends a session by its id, with the form of somebody's own page. */
async function end(device: Device, sessionId: string) {
  const page = await world.openAccount(device, "/account/devices");
  const form = { ...page.formWith("csrf"), action: END };
  return device.browser.submit(page, form, { values: { session: sessionId } });
}

test("devices are listed with browser, address, apps and how the person signed in", async () => {
  const person = await world.addPerson();
  const [here] = [await world.signIn(person), await world.signIn(person, SAFARI)];
  const { text } = await world.openAccount(here, "/account/devices");
  expect(text).toMatch(/Firefox on Linux This device 198\.18\.\d+\.\d+ Last used: today, \d\d:\d\d UTC/);
  expect(text).toMatch(/Safari on iPhone 198\.18\..*Signed in: today, \d\d:\d\d UTC, with your password Apps: Shop/);
  expect(text).toContain("Sign out 1 other device");
});

test("the place of an address is shown as it stands in the operator's file, and nothing where nobody knows", async () => {
  const person = await world.addPerson();
  const here = await world.signIn(person);
  await world.signIn(person, SAFARI, "203.0.113.70");
  await world.signIn(person, SAFARI, "::ffff:203.0.113.7");
  await world.signIn(person, SAFARI, "2001:db8::7");
  const { text, html } = await world.openAccount(here, "/account/devices");
  expect(text).toMatch(/This device 198\.18\.\d+\.\d+ Last used/);
  expect(text).toContain("Safari on iPhone \u2068Malmö, <third> floor\u2069 · 203.0.113.70 Last used");
  expect(text).toContain("Safari on iPhone \u2068Sweden\u2069 · 203.0.113.7 Last used");
  expect(text).toContain("Safari on iPhone \u2068Lyon\u2069 · 2001:db8::7 Last used");
  expect(html).not.toContain("<third>");
});

test("a device that is signed out has no cookie, refresh token or JWT that works [ASVS 7.4.5]", async () => {
  const person = await world.addPerson();
  const [here, lost] = [await world.signIn(person), await world.signIn(person, SAFARI)];
  expect(await world.isActive(lost.tokens.accessToken)).toBe(true);
  const page = await world.openAccount(here, "/account/devices");
  const after = await submitTo(here.browser, page, { action: END });
  expectPage(after, "/account/devices?done=device-ended");
  expect(after.text).not.toContain("Safari");
  expect(await world.accessOf(lost)).toEqual(NOTHING);
  expect(await world.accessOf(here)).toEqual(EVERYTHING);
});

test("all others end at once, and this one goes on", async () => {
  const person = await world.addPerson();
  const [here, ...others] = [await world.signIn(person), await world.signIn(person), await world.signIn(person)];
  const page = await world.openAccount(here, "/account/devices");
  expect(page.text).toContain("Sign out 2 other devices");
  const after = await submitTo(here.browser, page, { action: "/account/devices/end-others" });
  expectPage(after, "/account/devices?done=others-ended");
  for (const other of others) expect(await world.accessOf(other)).toEqual(NOTHING);
  expect(await world.accessOf(here)).toEqual(EVERYTHING);
});

test("nobody ends the session of somebody else, or learns that there is one", async () => {
  const [hers, his] = [await world.signIn(await world.addPerson()), await world.signIn(await world.addPerson("Bob"))];
  const answers = [await end(his, hers.sessionId), await end(his, "no-such-session"), await end(his, "\0' or 1=1")];
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
  expect(new Set(answers.map(({ heading }) => heading)).size).toBe(1);
  expect(await world.accessOf(hers)).toEqual(EVERYTHING);
});

test("a form without the session's token ends nothing [ASVS 3.5.1]", async () => {
  const person = await world.addPerson();
  const [here, other] = [await world.signIn(person), await world.signIn(person)];
  for (const csrf of [undefined, "forged", await tokenOf(await world.signIn(await world.addPerson("Mallory")))]) {
    const body = new URLSearchParams({ session: other.sessionId, ...(csrf === undefined ? {} : { csrf }) });
    for (const path of [END, "/account/devices/end-others"]) {
      const { status } = await here.browser.fetch(world.latchkey.issuer + path, { method: "POST", body });
      expect(status).toBe(403);
    }
  }
  expect(await world.accessOf(other)).toEqual(EVERYTHING);
});

async function tokenOf(device: Device): Promise<string> {
  return (await world.openAccount(device)).formWith("csrf").fields.get("csrf") ?? "";
}
