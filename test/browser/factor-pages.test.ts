import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EnrolledPerson, enrollPerson, registerPerson } from "../flow/mfa/people.ts";
import { findBarriers } from "../support/accessibility.ts";
import { AuthenticatorApp } from "../support/authenticator-app.ts";
import type { Person } from "../support/cast.ts";
import { type PlainApp, startPlainApp } from "../support/plain-app.ts";
import { addAuthenticator } from "../support/virtual-authenticator.ts";
import { createDemoWorld, type DemoWorld, headingOf, PATIENTLY, press, signIn, textOf } from "./demo-world.ts";

const IN_THE_APP = "Signed in to Shop";
const WRONG_CODES_MAX = 5;

let world: DemoWorld;
let app: PlainApp;

beforeAll(async () => {
  const settings = { MFA_TRUSTED_BROWSER_DAYS: "30", HELP_URL: "https://help.example.com" };
  world = await createDemoWorld({ stores: "redis", settings });
  const { issuer, clients } = world.latchkey;
  app = await startPlainApp({ issuer, clients, isFirstParty: true });
});

afterAll(async () => {
  await app.close();
  await world.close();
});

/** What is met on the way to the app by this person, in a new browser. */
async function meet(person: Person, { query = "", ...options }: Meeting = {}): Promise<Page> {
  const page = await world.openPage({ bypassCSP: true, ...options });
  await page.goto(app.signInUrl + query);
  await signIn(page, person);
  await page.getByLabel("Password", { exact: true }).waitFor({ state: "detached" });
  return page;
}

type Meeting = BrowserContextOptions & { readonly query?: string };

const CODE_IS_NEEDED = "?acr_values=urn:latchkey:acr:mfa";
const PASSKEY_IS_NEEDED = "?acr_values=phr";

async function typeCode(page: Page, code: string): Promise<void> {
  await page.locator("#code").fill(code);
  await page.locator("#code").press("Enter");
}

async function meetRecoveryCode(person: Person): Promise<Page> {
  const page = await meet(person);
  await page.getByRole("link", { name: "Use a recovery code" }).click();
  return page;
}

async function meetRecoveryCodes(): Promise<Page> {
  const page = await meet(await registerPerson(world), { query: CODE_IS_NEEDED });
  const authenticator = new AuthenticatorApp(await page.locator(".key").innerText());
  await typeCode(page, authenticator.code());
  await page.getByRole("heading", { name: "Save your recovery codes" }).waitFor();
  return page;
}

async function typeWrongCodes({ id, app: authenticator }: EnrolledPerson): Promise<void> {
  const source = { address: "203.0.113.7" };
  for (let count = 0; count < WRONG_CODES_MAX; count += 1) {
    await world.latchkey.factors.totp.verify(id, { code: authenticator.wrongCode(), source });
  }
}

/** How to get to a page, and what it says there. */
interface FactorPage {
  readonly name: string;
  readonly heading: string;
  readonly says: string;
  readonly open: () => Promise<Page>;
}

const PAGES: readonly FactorPage[] = [
  {
    name: "a code",
    heading: "Enter your code",
    says: "Don’t ask again on this device",
    open: async () => meet(await enrollPerson(world)),
  },
  {
    name: "a wrong code",
    heading: "Enter your code",
    says: "That code has expired, was used already or was mistyped.",
    async open() {
      const person = await enrollPerson(world);
      const page = await meet(person);
      await typeCode(page, person.app.wrongCode());
      await page.getByRole("alert").waitFor();
      return page;
    },
  },
  {
    name: "too many wrong codes",
    heading: "Enter your code",
    says: "Too many wrong codes. You can try again in 15 minutes",
    async open() {
      const person = await enrollPerson(world);
      const page = await meet(person);
      await typeWrongCodes(person);
      await typeCode(page, person.app.code());
      await page.getByRole("alert").waitFor();
      return page;
    },
  },
  {
    name: "a recovery code",
    heading: "Use a recovery code",
    says: "Type one of the codes that you saved",
    open: async () => meetRecoveryCode(await enrollPerson(world)),
  },
  {
    name: "a wrong recovery code",
    heading: "Use a recovery code",
    says: "That isn’t one of your unused codes.",
    async open() {
      const page = await meetRecoveryCode(await enrollPerson(world));
      await typeCode(page, "0000-0000");
      await page.getByRole("alert").waitFor();
      return page;
    },
  },
  {
    name: "a recovery code that was used",
    heading: "You’re in",
    says: "You have 9 recovery codes left.",
    async open() {
      const person = await enrollPerson(world);
      const page = await meetRecoveryCode(person);
      await typeCode(page, person.recoveryCodes[0] ?? "");
      await page.getByRole("heading", { name: "You’re in" }).waitFor();
      return page;
    },
  },
  {
    name: "adding an authenticator app",
    heading: "Add an authenticator app",
    says: "Shop asks for a second step",
    open: async () => meet(await registerPerson(world), { query: CODE_IS_NEEDED }),
  },
  {
    name: "adding an authenticator app with errors",
    heading: "Add an authenticator app",
    says: "Type the 6 digits.",
    async open() {
      const page = await meet(await registerPerson(world), { query: CODE_IS_NEEDED });
      await typeCode(page, "");
      await page.getByRole("alert").waitFor();
      return page;
    },
  },
  {
    name: "adding a passkey",
    heading: "Add a passkey",
    says: "Nothing to type, nothing to steal.",
    open: async () => meet(await registerPerson(world), { query: PASSKEY_IS_NEEDED }),
  },
  {
    name: "a passkey",
    heading: "Use your passkey",
    says: "Your browser will ask for your fingerprint, face or PIN.",
    async open() {
      const page = await world.openPage({ bypassCSP: true });
      await page.goto(app.signInUrl);
      await page.getByRole("link", { name: "Use a passkey" }).click();
      return page;
    },
  },
  {
    name: "a passkey that does not come",
    heading: "Use your passkey",
    says: "Nothing came from your browser.",
    async open() {
      const page = await world.openPage({ bypassCSP: true });
      await addAuthenticator(page, { isUserVerified: false });
      await page.goto(app.signInUrl);
      await page.getByRole("link", { name: "Use a passkey" }).click();
      await press(page, "Use passkey");
      await page.getByText("Nothing came from your browser.").waitFor();
      return page;
    },
  },
  {
    name: "recovery codes",
    heading: "Save your recovery codes",
    says: "We can’t show these again.",
    open: meetRecoveryCodes,
  },
  {
    name: "recovery codes that are not saved",
    heading: "Save your recovery codes",
    says: "Save your codes first, then tick the box.",
    async open() {
      const page = await meetRecoveryCodes();
      await press(page, "Done");
      await page.getByRole("alert").waitFor();
      return page;
    },
  },
];

test.each(PAGES)("$name: no barrier that axe finds, and nothing overflows [WCAG 2.2 AA]", async (factorPage) => {
  const page = await factorPage.open();
  await expect.poll(headingOf(page), PATIENTLY).toBe(factorPage.heading);
  await expect.poll(textOf(page), PATIENTLY).toContain(factorPage.says);
  expect(await findBarriers(page)).toEqual([]);
});

describe("with the keyboard alone", () => {
  test("a wrong code is put right from the summary, which has the focus [WCAG 2.1.1, 3.3.1]", async () => {
    const person = await enrollPerson(world);
    const page = await meet(person);
    const { keyboard } = page;
    await page.getByRole("heading", { name: "Enter your code" }).waitFor();
    // The first stop is the link over what comes before the form, the second the field.
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    await keyboard.press("Tab");
    await keyboard.type(person.app.wrongCode());
    await keyboard.press("Enter");
    const focus = page.locator(":focus");
    await expect.poll(() => focus.getAttribute("role"), PATIENTLY).toBe("alert");
    expect(await page.title()).toMatch(/^Error: /);
    await keyboard.press("Tab");
    await keyboard.press("Enter");
    expect(await focus.getAttribute("id")).toBe("code");
    await keyboard.type(person.app.code());
    await keyboard.press("Enter");
    await expect.poll(headingOf(page), PATIENTLY).toBe(IN_THE_APP);
  });
});

test("on paper there are the codes and whose they are, and nothing else", async () => {
  const page = await meetRecoveryCodes();
  const codes = await page.locator(".codes li").allInnerTexts();
  await page.emulateMedia({ media: "print" });
  const lines = (await textOf(page)()).split("\n").filter((line) => line.trim() !== "");
  const [line, ...rest] = lines;
  expect(line).toMatch(/^Account: person-\d+@example\.com · localhost:\d+ · Made /);
  expect(rest).toEqual(codes);
  expect(codes).toHaveLength(10);
});
