import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findBarriers } from "../support/accessibility.ts";
import { startChromium } from "../support/chromium.ts";
import { createMailWorld, freshEmail, type MailWorld } from "../flow/by-mail/mail-world.ts";

/** All of it with JavaScript off, through a real mail server; what axe says of each page on the way. */

const OLD = "velvet-otter-piano-42";
const NEW = "harbor-thimble-walnut-5";

let world: MailWorld;
let chromium: Awaited<ReturnType<typeof startChromium>>;
beforeAll(async () => {
  [world, chromium] = await Promise.all([createMailWorld(), startChromium()]);
});
afterAll(async () => {
  await chromium.close();
  await world.close();
});

async function openPage(): Promise<Page> {
  const context = await chromium.newContext({ javaScriptEnabled: false, locale: "en" });
  return context.newPage();
}

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
const fill = (page: Page, label: string, text: string) => page.getByLabel(label, { exact: true }).fill(text);

async function expectPage(page: Page, heading: string): Promise<void> {
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(heading);
  // axe needs script, and so a look of its own at what this page is.
  const looking = await chromium.newContext();
  const copy = await looking.newPage();
  await copy.route("**/*", async (route) => {
    const isPage = route.request().isNavigationRequest();
    await (isPage ? route.fulfill({ contentType: "text/html", body: await page.content() }) : route.continue());
  });
  await copy.goto(page.url());
  expect(await findBarriers(copy)).toEqual([]);
  await looking.close();
}

test("an account is created, its email changed and taken back, its password forgotten and chosen anew", async () => {
  const email = freshEmail("nora");
  const page = await openPage();
  await page.goto(world.at("/create-account"));
  await expectPage(page, "Create your account");
  await fill(page, "Email", email);
  await press(page, "Send me the mail");
  await expectPage(page, "Check your mail");
  await fill(page, "Code from the mail", "12 34 56");
  await press(page, "Continue");
  await expectPage(page, "Check your mail");
  await fill(page, "Code from the mail", (await world.mailTo(email)).code);
  await press(page, "Continue");
  await expectPage(page, "Almost there");
  await fill(page, "Your name", "Nora North");
  await fill(page, "Password", OLD);
  await press(page, "Create account");
  await page.getByRole("heading", { name: "Hello, Nora North" }).waitFor();

  const newEmail = freshEmail("nora-new");
  await page.goto(world.at("/account/email"));
  await expectPage(page, "Your email");
  await fill(page, "New email", newEmail);
  await press(page, "Send a mail to the new one");
  await expectPage(page, "Check your mail");
  await page.goto((await world.mailTo(newEmail)).link.href);
  await expectPage(page, "Use this email?");
  await press(page, "Yes, use it");
  expect(await page.getByRole("status").textContent()).toContain("Your email has been changed.");

  const other = await openPage();
  await other.goto((await world.mailTo(email, 2)).link.href);
  await expectPage(other, "Undo the change of email?");
  await press(other, "Yes, undo it");
  await expectPage(other, "Choose a new password");
  await fill(other, "New password", "nora north nora north");
  await press(other, "Change password and sign out everywhere");
  await expectPage(other, "Choose a new password");
  await fill(other, "New password", NEW);
  await press(other, "Change password and sign out everywhere");
  await expectPage(other, "Your password has been changed");

  await page.goto(world.at("/account"));
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await expectPage(page, "Forgot your password?");
  await fill(page, "Email", email);
  await press(page, "Send me the mail");
  await page.goto((await world.mailTo(email, 4)).link.href);
  await fill(page, "New password", OLD);
  await press(page, "Change password and sign out everywhere");
  await page.getByRole("link", { name: "Continue to sign in" }).click();
  await fill(page, "Email", email);
  await fill(page, "Password", OLD);
  await press(page, "Sign in");
  await page.getByRole("heading", { name: "Hello, Nora North" }).waitFor();
});

test("a link that is over says so, in the frame of the pages", async () => {
  const page = await openPage();
  await page.goto(world.at("/reset-password/new?token=none"));
  await expectPage(page, "This link can’t be used any more");
});
