import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findBarriers } from "../support/accessibility.ts";
import { alice, bob, mallory } from "../support/cast.ts";
import { populate } from "../support/latchkey.ts";
import {
  createAccount,
  createDemoWorld,
  type DemoWorld,
  headingOf,
  PATIENTLY,
  press,
  signIn,
  textOf,
} from "./demo-world.ts";

const carol = { name: "Carol Cole", email: "carol@example.com", password: "amber-thicket-violin-3" };

let world: DemoWorld;

beforeAll(async () => {
  world = await createDemoWorld({ stores: "embedded" });
  await populate(world.latchkey, { people: [bob, mallory] });
  // Bob allows the app once; what he meets afterwards asks for nothing more.
  const page = await openApp();
  await signIn(page, bob);
  await press(page, "Allow");
  await page.getByText("Teapot").waitFor();
});

afterAll(() => world.close());

/** A fresh browser on its way from the app to the sign-in page. */
async function openApp(): Promise<Page> {
  const page = await world.openPage();
  await page.goto(world.appUrl);
  await press(page, "Sign in");
  return page;
}

async function bobInTheApp(): Promise<Page> {
  const page = await openApp();
  await signIn(page, bob);
  await expect.poll(textOf(page), PATIENTLY).toContain("Teapot");
  return page;
}

const accessToken = (page: Page) => (): Promise<string | null> => page.locator("#access-token").textContent();

test("a newcomer creates an account from the start page, sees it, and signs out", async () => {
  const page = await world.openPage();
  await page.goto(world.latchkey.issuer);
  await page.getByRole("link", { name: "Create an account" }).click();
  await createAccount(page, alice);
  await expect.poll(headingOf(page), PATIENTLY).toBe(`Hello, ${alice.name}`);
  expect(await textOf(page)()).toContain(alice.email);
  await press(page, "Sign out");
  await expect.poll(headingOf(page), PATIENTLY).toBe("You’re signed out");
  await page.goto(`${world.latchkey.issuer}/account`);
  expect(await headingOf(page)()).toBe("Sign in");
});

test("a person signs in at the app with consent, and the API accepts the token; it is refreshed, and signed out", async () => {
  const page = await openApp();
  await signIn(page, mallory);
  await expect.poll(headingOf(page), PATIENTLY).toBe("Let Demo app use your account?");
  expect(await textOf(page)()).toContain("See your orders");
  await press(page, "Allow");

  await expect.poll(textOf(page), PATIENTLY).toContain("Teapot");
  expect(page.url()).toBe(`${world.appUrl}/`);
  const before = await accessToken(page)();
  expect(before).toContain(`"aud": "${world.apiUrl}"`);
  expect(before).toContain(`"typ": "at+jwt"`);
  await press(page, "Refresh the tokens");
  await expect.poll(accessToken(page), PATIENTLY).not.toBe(before);

  await press(page, "Sign out");
  await expect.poll(headingOf(page), PATIENTLY).toBe("Sign out?");
  await press(page, "Sign out");
  await expect.poll(headingOf(page), PATIENTLY).toBe("See your tea orders");
  expect(page.url()).toBe(`${world.appUrl}/`);
  await press(page, "Sign in");
  await expect.poll(headingOf(page), PATIENTLY).toBe("Sign in");
});

test("the app keeps no token where another script could read it later", async () => {
  const page = await bobInTheApp();
  const kept = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state])";
  expect(await page.evaluate(kept)).toBe('[{},{},"",{"wasSignedIn":true}]');
});

test("the app asks for one more permission when the API wants it [RFC 6750 3.1]", async () => {
  const page = await bobInTheApp();
  await press(page, "Order more tea");
  await press(page, "Ask for that permission");
  await expect.poll(headingOf(page), PATIENTLY).toBe("Let Demo app use your account?");
  const asked = await textOf(page)();
  expect(asked).toContain("Place and refund orders for you");
  expect(asked).not.toContain("See your email address");
  await press(page, "Allow");
  await press(page, "Order more tea");
  await expect.poll(textOf(page), PATIENTLY).toContain("Green tea, 100 g");
});

const revocationStatus = (page: Page) => (): Promise<string> => page.locator("#revocation-status").innerText();

test("a token that was revoked is refused by the API at once, whose page shows it; the session goes on", async () => {
  const page = await bobInTheApp();
  const apiPage = await page.context().newPage();
  await apiPage.goto(world.apiUrl);
  await expect.poll(() => apiPage.locator("#feed").innerText(), PATIENTLY).toContain("live");

  await press(page, "Call the API");
  await expect.poll(revocationStatus(page), PATIENTLY).toContain("200: the API accepted the token");
  await press(page, "Revoke now");
  await expect.poll(revocationStatus(page), PATIENTLY).toContain("Revoked at");
  await press(page, "Call the API");
  await expect.poll(revocationStatus(page), PATIENTLY).toContain("401 invalid_token: the API refused the token");

  await apiPage.getByRole("link", { name: "Reload every second" }).click();
  await expect.poll(() => apiPage.locator("td.refused").first().innerText(), PATIENTLY).toContain("revoked");
  expect(await apiPage.locator("#last-event").innerText()).toContain("of kind token");
  expect(await textOf(apiPage)()).not.toMatch(/eyJ|bob/i);

  // A page that loads itself anew each second does not hold still for a check.
  await apiPage.getByRole("link", { name: "Stop reloading" }).click();
  await expect.poll(() => apiPage.url(), PATIENTLY).not.toContain("watch");
  await apiPage.waitForLoadState("load");
  expect(await findBarriers(apiPage)).toEqual([]);

  // Loading again does what an app does: it refreshes, and goes on.
  await press(page, "Load again");
  await expect.poll(() => page.locator("#orders-status").innerText(), PATIENTLY).toBe("");
  await press(page, "Call the API");
  await expect.poll(revocationStatus(page), PATIENTLY).toContain("200: the API accepted the token");
});

test("a session that is ended on the account page ends the app's access to the API with it", async () => {
  const page = await bobInTheApp();
  const [accountPage] = await Promise.all([
    page.context().waitForEvent("page"),
    page.getByRole("link", { name: "your account page" }).click(),
  ]);
  await press(accountPage, "Sign out");
  await expect.poll(headingOf(accountPage), PATIENTLY).toBe("You’re signed out");
  await press(page, "Call the API");
  await expect.poll(revocationStatus(page), PATIENTLY).toContain("401 invalid_token: the API refused the token");
  await press(page, "Load again");
  await expect.poll(textOf(page), PATIENTLY).toContain("Your sign-in has ended");
});

test("after a reload the app goes on with one click and no question", async () => {
  const page = await bobInTheApp();
  await page.reload();
  await press(page, "Continue");
  await expect.poll(textOf(page), PATIENTLY).toContain("Teapot");
});

test("after a reload the app leads to the sign-in page when the session is gone", async () => {
  const page = await bobInTheApp();
  await page.context().clearCookies();
  await page.reload();
  await press(page, "Continue");
  await signIn(page, bob);
  await expect.poll(textOf(page), PATIENTLY).toContain("Teapot");
});

test("a person who does not allow it is back in the app, and may change their mind", async () => {
  const page = await openApp();
  await page.getByRole("link", { name: "Create an account" }).click();
  await createAccount(page, carol);
  await press(page, "Don’t allow");
  await expect.poll(textOf(page), PATIENTLY).toContain("You didn't allow it");
  await press(page, "Start again");
  await press(page, "Allow");
  await expect.poll(textOf(page), PATIENTLY).toContain("Teapot");
});

test.each([
  { what: "a code that was used before", query: "?code=used&state=of-another-request" },
  { what: "a refusal that nobody asked for", query: "?error=access_denied&state=forged" },
  { what: "no parameters at all", query: "" },
])("the app meets $what with one click that starts again", async ({ query }) => {
  const page = await bobInTheApp();
  await page.goto(`${world.appUrl}/callback${query}`);
  await expect.poll(textOf(page), PATIENTLY).toContain("used before or wasn't started in this tab");
  expect(page.url()).toBe(`${world.appUrl}/`);
  await press(page, "Start again");
  await expect.poll(textOf(page), PATIENTLY).toContain("Teapot");
});

test("the app does not take the answer of another issuer [RFC 9207 2.4]", async () => {
  const page = await world.openPage();
  await page.route(`${world.latchkey.issuer}/authorize?*`, async (route) => {
    const { searchParams } = new URL(route.request().url());
    const answer = { code: "stolen", state: searchParams.get("state") ?? "", iss: "https://mallory.example.com" };
    const location = `${world.appUrl}/callback?${new URLSearchParams(answer).toString()}`;
    await route.fulfill({ status: 303, headers: { location } });
  });
  await page.goto(world.appUrl);
  await press(page, "Sign in");
  await expect.poll(textOf(page), PATIENTLY).toContain("The sign-in didn't work");
});
