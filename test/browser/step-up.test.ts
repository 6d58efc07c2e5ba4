import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { enrollPerson, registerPerson } from "../flow/mfa/people.ts";
import { AuthenticatorApp } from "../support/authenticator-app.ts";
import type { Person } from "../support/cast.ts";
import { createDemoWorld, type DemoWorld, headingOf, PATIENTLY, press, signIn, textOf } from "./demo-world.ts";

const REFUNDED = "Order 1001 was refunded.";
const NEEDS_PROOF = "The shop wants to be sure that it's you";

let world: DemoWorld;

beforeAll(async () => {
  world = await createDemoWorld({ stores: "redis", settings: { MFA_TRUSTED_BROWSER_DAYS: "30" } });
});

afterAll(() => world.close());

async function openApp(person: Person): Promise<Page> {
  const page = await world.openPage();
  await page.goto(world.appUrl);
  await press(page, "Sign in");
  await signIn(page, person);
  return page;
}

/** Asks for the money back, and allows the app to: as far as the API wanting to be surer of who is there. */
async function askForRefund(page: Page): Promise<void> {
  await press(page, "Get a refund for order 1001");
  await press(page, "Ask for that permission");
  await press(page, "Allow");
  await expect.poll(textOf(page), PATIENTLY).toContain(NEEDS_PROOF);
}

const shownTokenSchema = z.object({
  payload: z.object({ acr: z.string(), amr: z.array(z.string()), auth_time: z.number() }),
});

/** What the app shows of its ID token. */
async function idTokenOf(page: Page): Promise<z.infer<typeof shownTokenSchema>["payload"]> {
  return shownTokenSchema.parse(JSON.parse((await page.locator("#id-token").textContent()) ?? "")).payload;
}

describe("a refund, for which the API wants a second factor", () => {
  test("is done once a person without one has added it; the sign-in stays the same one [RFC 9470 5]", async () => {
    const page = await openApp(await registerPerson(world));
    await press(page, "Allow");
    await askForRefund(page);
    const before = await idTokenOf(page);
    expect(before).toMatchObject({ acr: "urn:latchkey:acr:pwd", amr: ["pwd"] });

    await press(page, "Confirm that it's you");
    await expect.poll(headingOf(page), PATIENTLY).toBe("Add an authenticator app");
    const phone = new AuthenticatorApp(await page.locator(".key").innerText());
    await page.getByLabel("6-digit code").fill(phone.code());
    await press(page, "Turn it on");
    await page.getByLabel("I’ve saved my codes").check();
    await press(page, "Done");
    await expect.poll(textOf(page), PATIENTLY).toContain(REFUNDED);
    const after = await idTokenOf(page);
    expect(after).toMatchObject({ acr: "urn:latchkey:acr:mfa", amr: ["pwd", "otp", "mfa"] });
    expect(after.auth_time).toBe(before.auth_time);
  });

  test("takes one code, and no password, of a person who has one", async () => {
    const person = await enrollPerson(world);
    const page = await openApp(person);
    await page.getByLabel("6-digit code").fill(person.app.code());
    await page.getByLabel("Don’t ask again on this device").check();
    await press(page, "Continue");
    await press(page, "Allow");
    // Signed in anew, by the password alone: this browser is not asked for more.
    await press(page, "Sign out");
    await press(page, "Sign out");
    await press(page, "Sign in");
    await signIn(page, person);
    await askForRefund(page);
    const before = await idTokenOf(page);

    await press(page, "Confirm that it's you");
    await expect.poll(headingOf(page), PATIENTLY).toBe("Enter your code");
    expect(await textOf(page)()).toContain("Demo app asks for one more proof that it’s you.");
    await page.getByLabel("6-digit code").fill(person.app.code(1));
    await press(page, "Continue");
    await expect.poll(textOf(page), PATIENTLY).toContain(REFUNDED);
    expect((await idTokenOf(page)).auth_time).toBe(before.auth_time);
  });

  test("is not done for who says no: the app says so, and the orders are as they were", async () => {
    const page = await openApp(await registerPerson(world));
    await press(page, "Allow");
    await askForRefund(page);
    await press(page, "Confirm that it's you");
    await press(page, "Not now");
    await expect.poll(textOf(page), PATIENTLY).toContain("so nothing was refunded");
    await press(page, "Continue");
    await expect.poll(textOf(page), PATIENTLY).toContain("Order 1001, delivered");
  });
});
