import { afterAll, beforeAll, expect, test } from "vitest";
import { registerPerson } from "../flow/mfa/people.ts";
import { AuthenticatorApp } from "../support/authenticator-app.ts";
import { type PlainApp, startPlainApp } from "../support/plain-app.ts";
import { readQrCode } from "../support/qr-code.ts";
import { createDemoWorld, type DemoWorld, headingOf, PATIENTLY, press, signIn } from "./demo-world.ts";

const IN_THE_APP = "Signed in to Shop";
const MFA_CLAIMS = { acr: "urn:latchkey:acr:mfa", amr: ["pwd", "otp", "mfa"] };

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

test("without JavaScript a person scans the code, types what the app shows, saves the codes and is in [RFC 6238 5.1]", async () => {
  const person = await registerPerson(world);
  const page = await world.openPage({ javaScriptEnabled: false });
  await page.goto(`${app.signInUrl}?acr_values=urn:latchkey:acr:mfa`);
  await signIn(page, person);
  await expect.poll(headingOf(page), PATIENTLY).toBe("Add an authenticator app");

  const uri = new URL(readQrCode(await page.screenshot({ fullPage: true })));
  expect(`${uri.protocol}//${uri.host}${decodeURIComponent(uri.pathname)}`).toBe(
    `otpauth://totp/Latchkey:${person.email}`,
  );
  const { secret = "", ...parameters } = Object.fromEntries(uri.searchParams);
  // What is left out has these values.
  const defaults = { digits: "6", period: "30", algorithm: "SHA1" };
  expect({ ...defaults, ...parameters }).toEqual({ ...defaults, issuer: "Latchkey" });
  expect(secret).toMatch(/^[A-Z2-7]{32}$/);
  expect((await page.locator(".key").innerText()).replaceAll(/\s/g, "").toUpperCase()).toBe(secret);

  const phone = new AuthenticatorApp(secret);
  await page.getByLabel("6-digit code").fill(phone.code());
  await press(page, "Turn it on");
  await expect.poll(headingOf(page), PATIENTLY).toBe("Save your recovery codes");
  const [code = ""] = await page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem").allInnerTexts();
  await page.getByLabel("I’ve saved my codes").check();
  await press(page, "Done");
  await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  expect(app.lastClaims()).toMatchObject(MFA_CLAIMS);

  // The phone is lost, and the codes were really saved.
  await page.context().clearCookies();
  await page.goto(app.signInUrl);
  await signIn(page, person);
  await page.getByRole("link", { name: "Use a recovery code" }).click();
  await page.getByLabel("Recovery code").fill(code);
  await press(page, "Continue");
  await expect.poll(headingOf(page), PATIENTLY).toBe("You’re in");
  await press(page, "Continue");
  await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  expect(app.lastClaims()).toMatchObject(MFA_CLAIMS);
});
