import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { registerPerson } from "../flow/mfa/people.ts";
import type { Person } from "../support/cast.ts";
import { type PlainApp, startPlainApp } from "../support/plain-app.ts";
import { addAuthenticator, type VirtualAuthenticator } from "../support/virtual-authenticator.ts";
import { createDemoWorld, type DemoWorld, headingOf, PATIENTLY, press, signIn, textOf } from "./demo-world.ts";

const IN_THE_APP = "Signed in to Shop";

let world: DemoWorld;
let app: PlainApp;

beforeAll(async () => {
  world = await createDemoWorld({ stores: "redis" });
  const { issuer, clients } = world.latchkey;
  app = await startPlainApp({ issuer, clients, isFirstParty: true });
});

afterAll(async () => {
  await app.close();
  await world.close();
});

interface PasskeyOwner {
  readonly person: Person;
  readonly authenticator: VirtualAuthenticator;
  /** Of a browser in which nobody is signed in any more. The authenticator keeps still until somebody wakes it. */
  readonly page: Page;
}

/** Adds a passkey on the way to an app that wants nothing less, as far as the app. */
async function enrollOnPages(isSynced = false): Promise<PasskeyOwner> {
  const person = await registerPerson(world);
  const page = await world.openPage();
  const authenticator = await addAuthenticator(page, { isSynced });
  await page.goto(`${app.signInUrl}?acr_values=phr`);
  await signIn(page, person);
  await expect.poll(headingOf(page), PATIENTLY).toBe("Add a passkey");
  await press(page, "Create passkey");
  await expect.poll(headingOf(page), PATIENTLY).toBe("Save your recovery codes");
  await page.getByLabel("I’ve saved my codes").check();
  await press(page, "Done");
  await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  await page.context().clearCookies();
  await authenticator.setPresence(false);
  return { person, authenticator, page };
}

/** From the sign-in page to the page of passkeys, where the person wakes the authenticator and presses the button. */
async function usePasskey({ page, authenticator }: PasskeyOwner): Promise<void> {
  await page.getByRole("link", { name: "Use a passkey" }).click();
  await expect.poll(headingOf(page), PATIENTLY).toBe("Use your passkey");
  await authenticator.setPresence(true);
  await press(page, "Use passkey");
}

describe.each([
  { kind: "stays on its device", isSynced: false, factor: "hwk" },
  { kind: "is synchronized", isSynced: true, factor: "swk" },
])("a passkey that $kind", ({ isSynced, factor }) => {
  test("is added during a sign-in, and signs in without a password from then on [WebAuthn 3 7.2]", async () => {
    const owner = await enrollOnPages(isSynced);
    expect(app.lastClaims()).toMatchObject({ acr: "phr", amr: ["pwd", factor, "user", "mfa"] });
    await owner.page.goto(app.signInUrl);
    await usePasskey(owner);
    await expect.poll(headingOf(owner.page), PATIENTLY).toBe(IN_THE_APP);
    expect(app.lastClaims()).toMatchObject({ acr: "phr", amr: [factor, "user", "mfa"] });
  });
});

test("a passkey is the second factor after the password", async () => {
  const owner = await enrollOnPages();
  const { page, person, authenticator } = owner;
  await page.goto(app.signInUrl);
  await signIn(page, person);
  await expect.poll(headingOf(page), PATIENTLY).toBe("Use your passkey");
  await authenticator.setPresence(true);
  await press(page, "Use passkey");
  await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  expect(app.lastClaims()).toMatchObject({ acr: "phr", amr: ["pwd", "hwk", "user", "mfa"] });
});

test("the browser offers the passkey in the e-mail field, and picking it is all [WebAuthn 3 5.1.4]", async () => {
  const { page, authenticator } = await enrollOnPages();
  // The virtual authenticator picks for the person, as soon as the page asks in the way that autofill answers.
  await authenticator.setPresence(true);
  await page.goto(app.signInUrl);
  await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  expect(app.lastClaims()).toMatchObject({ acr: "phr", amr: ["hwk", "user", "mfa"] });
});

test("without fingerprint, face or PIN nobody is signed in; the page says so and has another way [ASVS 6.3.3]", async () => {
  const { person, ...owner } = await enrollOnPages();
  const page = await world.openPage();
  const credentials = await owner.authenticator.credentials();
  const authenticator = await addAuthenticator(page, { credentials, isUserVerified: false });
  await page.goto(app.signInUrl);
  await usePasskey({ page, person, authenticator });
  const said = page.getByRole("status");
  await expect.poll(() => said.innerText(), PATIENTLY).toContain("Nothing came from your browser. Try again");
  expect(await headingOf(page)()).toBe("Use your passkey");
  expect(await page.locator(":focus").innerText()).toBe("Use passkey");
  const names = (await page.context().cookies(world.latchkey.issuer)).map(({ name }) => name);
  expect(names.filter((name) => name.includes("session"))).toEqual([]);

  await page.getByRole("link", { name: "Use your password" }).click();
  await signIn(page, person);
  await expect.poll(headingOf(page), PATIENTLY).toBe("Use your passkey");
  await page.getByRole("link", { name: "Use a recovery code" }).click();
  await expect.poll(headingOf(page), PATIENTLY).toBe("Use a recovery code");
});

describe("with JavaScript off", () => {
  test("the page of passkeys says what they need, shows no dead button, and the password works", async () => {
    const person = await registerPerson(world);
    const page = await world.openPage({ javaScriptEnabled: false });
    await page.goto(app.signInUrl);
    await page.getByRole("link", { name: "Use a passkey" }).click();
    await expect.poll(textOf(page), PATIENTLY).toContain("Passkeys need JavaScript, and it’s off in this browser.");
    expect(await page.getByRole("button").count()).toBe(0);
    await page.getByRole("link", { name: "Use your password" }).click();
    await signIn(page, person);
    await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  });

  test("who cannot add a passkey is led to an authenticator app", async () => {
    const person = await registerPerson(world);
    const page = await world.openPage({ javaScriptEnabled: false });
    await page.goto(`${app.signInUrl}?acr_values=urn:latchkey:acr:mfa`);
    await signIn(page, person);
    await page.getByRole("link", { name: "Add a passkey instead" }).click();
    await expect.poll(textOf(page), PATIENTLY).toContain("Passkeys need JavaScript, and it’s off in this browser.");
    expect(await page.getByRole("button", { name: "Create passkey" }).count()).toBe(0);
    await page.getByRole("link", { name: "Add an authenticator app instead" }).click();
    await expect.poll(headingOf(page), PATIENTLY).toBe("Add an authenticator app");
  });
});
