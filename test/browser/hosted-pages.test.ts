import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findBarriers } from "../support/accessibility.ts";
import { alice, bob, mallory, type Person } from "../support/cast.ts";
import { populate } from "../support/latchkey.ts";
import { createDemoWorld, type DemoWorld, headingOf, press, signIn } from "./demo-world.ts";

let world: DemoWorld;

beforeAll(async () => {
  world = await createDemoWorld({
    stores: "redis",
    settings: { HELP_URL: "https://help.example.com", PRIVACY_URL: "https://example.com/privacy" },
  });
  await populate(world.latchkey, { people: [alice, bob, mallory] });
});

afterAll(() => world.close());

/** How to get to a page, and by what heading it is known. */
interface HostedPage {
  readonly name: string;
  readonly heading: string;
  readonly open: (page: Page) => Promise<unknown>;
}

const toIssuer = (path: string) => (page: Page) => page.goto(world.latchkey.issuer + path);

async function toSignIn(page: Page): Promise<void> {
  await page.goto(world.appUrl);
  await press(page, "Sign in");
  await page.getByLabel("Email", { exact: true }).waitFor();
}

/** Mallory never allows anything, so that this page is there however often it is asked for. */
async function toConsent(page: Page, person: Person = mallory): Promise<void> {
  await toSignIn(page);
  await signIn(page, person);
  await page.getByRole("button", { name: "Allow", exact: true }).waitFor();
}

async function toAccount(page: Page): Promise<void> {
  await page.goto(`${world.latchkey.issuer}/sign-in`);
  await signIn(page, alice);
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Another device, an app that was allowed something, and somebody who tried passwords: so that the pages have rows. */
async function useMuchOnce(): Promise<void> {
  const page = await world.openPage();
  await toSignIn(page);
  await signIn(page, alice);
  const allow = page.getByRole("button", { name: "Allow", exact: true });
  await allow.or(page.getByText("Teapot")).first().waitFor();
  if (await allow.isVisible()) await press(page, "Allow");
  await page.getByText("Teapot").waitFor();
  await page.context().close();
  const source = { address: "203.0.113.7" };
  for (const password of ["wrong", "wrong too"]) await world.latchkey.accounts.signIn({ ...alice, password, source });
}

let used: Promise<void> | undefined;

const useMuch = (): Promise<void> => (used ??= useMuchOnce());

const PAGES: readonly HostedPage[] = [
  { name: "the start page", heading: "One sign-in for all your apps", open: toIssuer("/") },
  { name: "sign in", heading: "Sign in", open: toSignIn },
  {
    name: "sign in with errors",
    heading: "Sign in",
    async open(page) {
      await toSignIn(page);
      await press(page, "Sign in");
      await page.getByText("Enter your password.").first().waitFor();
    },
  },
  {
    name: "sign in with a wrong password",
    heading: "Sign in",
    async open(page) {
      await toSignIn(page);
      await signIn(page, { email: "nobody@example.com", password: "whatever-it-is-12" });
      await page.getByText("That email and password don’t match").waitFor();
    },
  },
  {
    name: "sign in once more",
    heading: "Sign in",
    async open(page) {
      await toAccount(page);
      await page.goto(world.appUrl);
      await page.route(/\/authorize\?/, (route) => route.continue({ url: `${route.request().url()}&prompt=login` }));
      await press(page, "Sign in");
      await page.getByLabel("Password", { exact: true }).waitFor();
    },
  },
  { name: "create an account", heading: "Create your account", open: toIssuer("/create-account") },
  {
    name: "create an account with errors",
    heading: "Create your account",
    async open(page) {
      await page.goto(`${world.latchkey.issuer}/create-account`);
      await page.getByLabel("Password", { exact: true }).fill("short");
      await press(page, "Create account");
      await page.getByText("Enter your name.").first().waitFor();
    },
  },
  { name: "consent", heading: "Let Demo app use your account?", open: (page) => toConsent(page) },
  { name: "the account page", heading: `Hello, ${alice.name}`, open: toAccount },
  ...[
    { path: "/account/profile", heading: "Name and language" },
    { path: "/account/password", heading: "Change your password" },
    { path: "/account/devices", heading: "Devices" },
    { path: "/account/apps", heading: "Apps" },
    { path: "/account/activity", heading: "Activity" },
    { path: "/account/activity/not-me", heading: "If this wasn’t you" },
    { path: "/account/data", heading: "A copy of your data" },
    { path: "/account/delete", heading: "Delete your account" },
  ].map(({ path, heading }) => ({
    name: path,
    heading,
    async open(page: Page) {
      await useMuch();
      await toAccount(page);
      await page.goto(world.latchkey.issuer + path);
    },
  })),
  {
    name: "a changed profile",
    heading: `Hello, ${alice.name}`,
    async open(page) {
      await toAccount(page);
      await page.goto(`${world.latchkey.issuer}/account/profile`);
      await press(page, "Save");
      await page.getByText("Your profile has been saved.").waitFor();
    },
  },
  {
    name: "a password that is not changed",
    heading: "Change your password",
    async open(page) {
      await toAccount(page);
      await page.goto(`${world.latchkey.issuer}/account/password`);
      await press(page, "Change password");
      await page.getByText("Enter your current password.").first().waitFor();
    },
  },
  {
    name: "an account that is not deleted",
    heading: "Delete your account",
    async open(page) {
      await toAccount(page);
      await page.goto(`${world.latchkey.issuer}/account/delete`);
      await press(page, "Delete my account");
      await page.getByText("That isn’t the email of this account.").first().waitFor();
    },
  },
  {
    name: "sign out",
    heading: "Sign out?",
    async open(page) {
      await toAccount(page);
      await page.goto(`${world.latchkey.issuer}/end-session?client_id=demo-app`);
    },
  },
  {
    name: "signed out",
    heading: "You’re signed out",
    async open(page) {
      await toAccount(page);
      await press(page, "Sign out");
      await page.getByRole("heading", { name: "You’re signed out" }).waitFor();
    },
  },
  { name: "no such page", heading: "There is no such page", open: toIssuer("/nowhere") },
  { name: "an unknown app", heading: "This app can’t sign you in here", open: toIssuer("/authorize?client_id=nobody") },
  { name: "an expired sign-in", heading: "This sign-in has expired", open: toIssuer("/interaction/gone") },
];

test.each(PAGES)("$name has no barrier that axe finds, and nothing overflows [WCAG 2.2 AA]", async (hosted) => {
  const page = await world.openPage({ bypassCSP: true });
  await hosted.open(page);
  expect(await headingOf(page)()).toBe(hosted.heading);
  expect(await findBarriers(page)).toEqual([]);
});

test("the demo app has no barrier either, signed out and in", async () => {
  const page = await world.openPage({ bypassCSP: true });
  await page.goto(world.appUrl);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  expect(await findBarriers(page)).toEqual([]);
  await page.setViewportSize({ width: 1280, height: 900 });
  await toConsent(page, bob);
  await press(page, "Allow");
  await page.getByText("Teapot").waitFor();
  await page.getByText("ID token", { exact: true }).click();
  expect(await findBarriers(page)).toEqual([]);
});

test("the canary: a page with barriers is found out", async () => {
  const page = await world.openPage();
  await page.setContent('<html><body><img src="x.png"><div style="width: 2000px">wide</div></body></html>');
  const barriers = (await findBarriers(page)).join("\n");
  expect(barriers).toContain("image-alt");
  expect(barriers).toContain("px wide");
});

test("the pages of a journey run no script but that of passkeys, and break no rule of their policy [ASVS 3.4.3]", async () => {
  const page = await world.openPage();
  const complaints: string[] = [];
  const scripts: string[] = [];
  page.on("console", (message) => {
    // A wrong password is answered with 400, which Chromium notes as well.
    if (message.text().includes("Content Security Policy")) complaints.push(message.text());
  });
  page.on("request", (request) => {
    const { origin, pathname } = new URL(request.url());
    if (origin === world.latchkey.issuer && request.resourceType() === "script") scripts.push(pathname);
  });
  await toConsent(page);
  expect(scripts).toEqual(["/assets/simplewebauthn.js", "/assets/passkey.js"]);
  expect(await page.locator("script").count()).toBe(0);
  await press(page, "Don’t allow");
  await page.getByText("You didn't allow it").waitFor();
  expect(complaints).toEqual([]);
});
