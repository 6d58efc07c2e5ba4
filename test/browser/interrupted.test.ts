import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice } from "../support/cast.ts";
import { populate } from "../support/latchkey.ts";
import { type PlainApp, startPlainApp } from "../support/plain-app.ts";
import { startTimeTravel } from "../support/time-travel.ts";
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

/** Longer than an interaction lives, shorter than the carried request does. */
const TWO_HOURS_SECONDS = 2 * 60 * 60;
const IN_THE_APP = "Signed in to Shop";

let world: DemoWorld;
let app: PlainApp;

beforeAll(async () => {
  world = await createDemoWorld({ stores: "redis" });
  await populate(world.latchkey, { people: [alice] });
  app = await startPlainApp({ issuer: world.latchkey.issuer, clients: world.latchkey.clients });
  // Alice allows the app once: the journeys below are about signing in.
  const page = await world.openPage();
  await page.goto(app.signInUrl);
  await signIn(page, alice);
  await press(page, "Allow");
  await page.getByRole("heading", { name: IN_THE_APP }).waitFor();
});

afterAll(async () => {
  await app.close();
  await world.close();
});

/** Browser and stores live on in real time: what they keep by themselves is still there, and the server must refuse it. */
function passTwoHours(): void {
  startTimeTravel().advanceSeconds(TWO_HOURS_SECONDS);
}

describe.each([{ script: "on" }, { script: "off" }])("with JavaScript $script", ({ script }) => {
  async function openSignInPage(): Promise<Page> {
    const page = await world.openPage({ javaScriptEnabled: script === "on" });
    await page.goto(app.signInUrl);
    return page;
  }

  test("a person signs in and is in the app", async () => {
    const page = await openSignInPage();
    await signIn(page, alice);
    await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  });

  test("a wrong password says so, keeps the address, and the next try succeeds", async () => {
    const page = await openSignInPage();
    await signIn(page, { ...alice, password: "not-her-password-1" });
    await expect.poll(textOf(page), PATIENTLY).toContain("That email and password don’t match");
    expect(await page.getByLabel("Email", { exact: true }).inputValue()).toBe(alice.email);
    expect(await page.getByLabel("Password", { exact: true }).inputValue()).toBe("");
    await signIn(page, alice);
    await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  });

  test("a page left open until it has expired goes on with one click", async () => {
    const page = await openSignInPage();
    passTwoHours();
    await signIn(page, alice);
    await expect.poll(headingOf(page), PATIENTLY).toBe("This sign-in has expired");
    await page.getByRole("link", { name: "Continue to Shop" }).click();
    await signIn(page, alice);
    await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  });

  test("a page that is reloaded after it has expired goes on with one click", async () => {
    const page = await openSignInPage();
    passTwoHours();
    await page.reload();
    await page.getByRole("link", { name: "Continue to Shop" }).click();
    await signIn(page, alice);
    await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  });

  test("cookies cleared between the page and its form cost one click", async () => {
    const page = await openSignInPage();
    await page.context().clearCookies();
    await signIn(page, alice);
    await page.getByRole("link", { name: "Continue to Shop" }).click();
    await signIn(page, alice);
    await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  });

  test("of two tabs both end in the app", async () => {
    const first = await openSignInPage();
    const second = await first.context().newPage();
    await second.goto(app.signInUrl);
    await signIn(second, alice);
    await expect.poll(headingOf(second), PATIENTLY).toBe(IN_THE_APP);
    await signIn(first, alice);
    await expect.poll(textOf(first), PATIENTLY).toMatch(/Signed in to Shop|Continue to Shop/);
    if ((await headingOf(first)()) !== IN_THE_APP) {
      await first.getByRole("link", { name: "Continue to Shop" }).click();
    }
    await expect.poll(headingOf(first), PATIENTLY).toBe(IN_THE_APP);
  });

  test("the back button after a sign-in leads to a page from which one click leads to the app", async () => {
    const page = await openSignInPage();
    await signIn(page, alice);
    await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
    await page.goBack();
    // Either the browser shows the form again, or the server says that this sign-in is over.
    if ((await headingOf(page)()) === "Sign in") await signIn(page, alice);
    await expect.poll(textOf(page), PATIENTLY).toMatch(/Signed in to Shop|Continue to Shop/);
    if ((await headingOf(page)()) !== IN_THE_APP) {
      await page.getByRole("link", { name: "Continue to Shop" }).click();
    }
    await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  });

  test("a double click on the button signs in once and ends in the app", async () => {
    const page = await openSignInPage();
    await page.getByLabel("Email", { exact: true }).fill(alice.email);
    await page.getByLabel("Password", { exact: true }).fill(alice.password);
    await page.getByRole("button", { name: "Sign in", exact: true }).dblclick();
    await expect.poll(textOf(page), PATIENTLY).toMatch(/Signed in to Shop|Continue to Shop/);
    if ((await headingOf(page)()) !== IN_THE_APP) {
      await page.getByRole("link", { name: "Continue to Shop" }).click();
    }
    await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  });

  test("a newcomer creates an account on the way and is asked what to allow", async () => {
    const page = await openSignInPage();
    await page.getByRole("link", { name: "Create an account" }).click();
    const newcomer = { name: "Dana Dove", email: `dana-${script}@example.com`, password: "pepper-glacier-tulip-8" };
    await createAccount(page, newcomer);
    await expect.poll(headingOf(page), PATIENTLY).toBe("Let Shop use your account?");
    await press(page, "Allow");
    await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  });

  test("a consent page that was left open goes on with one click", async () => {
    const page = await openSignInPage();
    await page.getByRole("link", { name: "Create an account" }).click();
    const newcomer = { name: "Erin Elm", email: `erin-${script}@example.com`, password: "walnut-meteor-ribbon-5" };
    await createAccount(page, newcomer);
    await expect.poll(headingOf(page), PATIENTLY).toBe("Let Shop use your account?");
    passTwoHours();
    await press(page, "Allow");
    await page.getByRole("link", { name: "Continue to Shop" }).click();
    await press(page, "Allow");
    await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  });
});
