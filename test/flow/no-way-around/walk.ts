import { expect } from "vitest";
import { AuthenticatorApp } from "../../support/authenticator-app.ts";
import type { Browser, Page } from "../../support/browser.ts";
import { decideConsent, submitSignIn } from "../../support/journeys.ts";
import { isAtApp, keyOptionsOf, submitKey } from "../mfa/passkeys.ts";
import { submitCode } from "../mfa/people.ts";
import type { Party, Walker } from "./people.ts";

/** What the person uses where they have the choice. */
export type Means = "app" | "passkey" | "recovery code" | "passkey alone";

export interface Walk extends Party {
  readonly browser: Browser;
  readonly means?: Means;
  /** Asks not to be asked again. */
  readonly trusts?: boolean;
  /** Stops after so many. */
  readonly pagesMax?: number;
}

const PAGES_MAX = 8;

/** Answers every page on the way to the app. At none of them is anything that somebody could use. */
export async function follow(walk: Walk, start: Page): Promise<Page> {
  const before = await heldBy(walk);
  let page = start;
  for (let count = 0; count < (walk.pagesMax ?? PAGES_MAX) && !isAtApp(page); count += 1) {
    // The consent page comes when all is proved, and the person signed in.
    if (!asksForConsent(page)) expect(await heldBy(walk), page.heading).toEqual(before);
    page = await answer(walk, page);
  }
  return page;
}

/** The sessions of the person, and the cookies that say who they are or were. */
export async function heldBy({ world, person, browser }: Walk) {
  const account = await world.latchkey.accounts.findByEmail(person.email);
  const sessions = account === undefined ? [] : await world.latchkey.sessions.list(account.id);
  const cookies = browser.jar.list().filter(({ name }) => /lk_(session|browser)/.test(name));
  return { sessions: sessions.map(({ id }) => id), cookies: cookies.map(({ name, value }) => `${name}=${value}`) };
}

/** The last part of the page's address: `sign-in`, `second-factor` …; empty for the interaction itself. */
export function stepOf({ url }: Page): string {
  return url.pathname.split("/")[3] ?? "";
}

async function answer(walk: Walk, page: Page): Promise<Page> {
  const { browser, person, means } = walk;
  switch (stepOf(page)) {
    case "second-factor":
      return answerCode(walk, page);
    case "passkey":
      if (means === "recovery code") return useRecoveryCode(walk, await browser.click(page, /^Use a recovery code$/));
      return submitKey(browser, page, person.key.get(keyOptionsOf(page, "use")));
    case "recovery-used":
      return browser.submit(page, page.formWith("csrf"));
    case "enroll-app":
      if (means === "passkey") return browser.click(page, /^Add a passkey instead$/);
      return addApp(browser, page);
    case "enroll-passkey":
      return submitKey(browser, page, person.key.create(keyOptionsOf(page, "create")), { name: "Key" });
    case "recovery-codes":
      return browser.submit(page, page.formWith("csrf"), { values: { saved: "1" } });
    default:
      return answerFirst(walk, page);
  }
}

async function answerFirst({ browser, person, means }: Walk, page: Page): Promise<Page> {
  if (asksForConsent(page)) return decideConsent(browser, page, "Allow");
  if (page.forms.some(({ fields }) => fields.has("name"))) {
    const { name, email, password } = person;
    return browser.submit(page, page.formWith("name"), { values: { name, email, password } });
  }
  if (means !== "passkey alone") return submitSignIn(browser, page, person);
  return submitKey(browser, page, person.key.get(keyOptionsOf(page, "autofill")));
}

async function answerCode(walk: Walk, page: Page): Promise<Page> {
  const { browser, person, means, trusts = false } = walk;
  if (means === "recovery code") return useRecoveryCode(walk, await browser.click(page, /^Use a recovery code$/));
  if (!trusts) return submitCode(browser, page, nextCode(person));
  return browser.submit(page, page.formWith("code"), { values: { code: nextCode(person), trust: "1" } });
}

function useRecoveryCode({ browser, person }: Walk, page: Page): Promise<Page> {
  return submitCode(browser, page, person.recoveryCodes[0] ?? "");
}

async function addApp(browser: Browser, page: Page): Promise<Page> {
  const values = { code: AuthenticatorApp.fromPage(page).code(), name: "Phone" };
  return browser.submit(page, page.formWith("code"), { values });
}

/** Each code works once: the second one is of the step to come. */
function nextCode(person: Walker): string {
  person.codesUsed += 1;
  return person.app.code(person.codesUsed - 1);
}

function asksForConsent({ forms }: Page): boolean {
  return forms.some(({ buttons }) => buttons.some(({ name }) => name === "decision"));
}
