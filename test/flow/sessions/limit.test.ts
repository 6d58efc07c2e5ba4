import { afterEach, beforeEach, expect, test } from "vitest";
import { alice, bob, mallory } from "../../support/cast.ts";
import { signInAs, submitSignIn } from "../../support/journeys.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld({
    stores: "postgres",
    settings: { SESSION_MAX_PER_ACCOUNT: "1", SESSION_LIMIT_POLICY: "refuse" },
  });
});
afterEach(() => world.close());

test("one device too many is told what to do, in the person's language, and can go on once another has signed out", async () => {
  const { issuer } = world.latchkey;
  const desk = world.openBrowser();
  await signInAs(desk, alice, issuer);
  const phone = world.openBrowser();
  const page = await signInAs(phone, alice, issuer);
  expect(page).toMatchObject({ status: 403, heading: "Sign in" });
  expect(page.text).toContain("Sign out on one that you don’t need, then try again here.");
  const german = await signInAs(world.openBrowser({ "accept-language": "de" }), alice, issuer);
  expect(german.text).toContain("Melden Sie sich auf einem ab, das Sie nicht brauchen");
  expect((await signInAs(world.openBrowser(), bob, issuer)).url.pathname).toBe("/account");

  const account = await desk.open(`${issuer}/account`);
  await desk.submit(account, account.formWith("csrf"));
  expect((await submitSignIn(phone, page, alice)).url.pathname).toBe("/account");
});

test("two devices that sign in at once do not both get in, and the other is told why", async () => {
  const { issuer } = world.latchkey;
  const browsers = Array.from({ length: 4 }, () => world.openBrowser());
  const pages = await Promise.all(browsers.map((browser) => signInAs(browser, mallory, issuer)));
  expect(pages.filter(({ url }) => url.pathname === "/account")).toHaveLength(1);
  for (const page of pages.filter(({ url }) => url.pathname !== "/account")) {
    expect(page.status).toBe(403);
    expect(page.text).toContain("Sign out on one that you don’t need");
  }
});

test("who is signed in here can prove it again", async () => {
  const browser = world.openBrowser();
  await world.apps.notesWeb.signIn(browser, alice);
  const again = await world.apps.notesWeb.signIn(browser, alice, { prompt: "login" });
  expect(again.refreshToken).not.toBe("");
});
