import type { Browser, Page } from "./browser.ts";
import type { Person } from "./cast.ts";

/** Fills in the sign-in page that the browser is on. */
export async function submitSignIn(browser: Browser, page: Page, person: Pick<Person, "email" | "password">) {
  const values = { email: person.email, password: person.password };
  return await browser.submit(page, page.formWith("password"), { values });
}

/** Presses the button on the consent page that the browser is on. */
export async function decideConsent(browser: Browser, page: Page, decision: "Allow" | "Don’t allow") {
  const form = page.forms.find(({ buttons }) => buttons.some(({ name }) => name === "decision"));
  if (form === undefined) throw new Error(`no consent form at ${page.url.pathname}: ${page.text}`);
  return await browser.submit(page, form, { button: new RegExp(`^${decision}$`) });
}

/** Signs in at the account page, so that the browser has a session afterwards. */
export async function signInAs(browser: Browser, person: Person, issuer: string): Promise<Page> {
  return await submitSignIn(browser, await browser.open(`${issuer}/sign-in`), person);
}

/**
 * Goes through an authorization request: signs in and allows where a page asks for it.
 *
 * @param authorizationUrl what the client sent the browser to
 * @returns the page at the client's redirect URI; name its origin in the browser's `appOrigins`
 */
export async function authorizeAs(browser: Browser, person: Person, authorizationUrl: string | URL): Promise<Page> {
  let page = await browser.open(authorizationUrl);
  if (page.forms.some(({ fields }) => fields.has("password"))) page = await submitSignIn(browser, page, person);
  const asksForConsent = page.forms.some(({ buttons }) => buttons.some(({ name }) => name === "decision"));
  return asksForConsent ? await decideConsent(browser, page, "Allow") : page;
}
