import { AuthenticatorApp } from "../../support/authenticator-app.ts";
import type { Browser, Page } from "../../support/browser.ts";
import type { Person } from "../../support/cast.ts";
import type { World } from "../../support/world.ts";

const SOURCE = { address: "198.51.100.9" };

/** Somebody with an authenticator app and recovery codes, enrolled without pages. */
export interface EnrolledPerson extends Person {
  readonly id: string;
  readonly app: AuthenticatorApp;
  readonly recoveryCodes: readonly string[];
}

let count = 0;

/** A new person, so that no test spends the codes and tries of another. */
export async function registerPerson({ latchkey }: Pick<World, "latchkey">): Promise<Person & { readonly id: string }> {
  count += 1;
  const person = { email: `person-${count}@example.com`, name: "Nora North", password: "maple-thunder-cabin-31" };
  const { id } = await latchkey.accounts.register(person, "operator");
  return { ...person, id };
}

/** The code that enrolled the app is of the step before, so that the one of now is still good. */
export async function enrollPerson(world: Pick<World, "latchkey">): Promise<EnrolledPerson> {
  const { factors } = world.latchkey;
  const person = await registerPerson(world);
  const app = new AuthenticatorApp((await factors.totp.beginEnrollment(person, "sign-in")).secret);
  await factors.totp.confirmEnrollment(person.id, {
    binding: "sign-in",
    code: app.code(-1),
    name: "Phone",
    source: SOURCE,
  });
  const recoveryCodes = (await factors.recoveryCodes.reveal(person.id)) ?? [];
  await factors.recoveryCodes.confirmSaved(person.id);
  return { ...person, app, recoveryCodes };
}

/** Types a code into the page that the browser is on. */
export async function submitCode(browser: Browser, page: Page, code: string): Promise<Page> {
  return browser.submit(page, page.formWith("code"), { values: { code } });
}

/** Adds an app at the page that asks for it: as far as the page with the recovery codes. */
export async function addAppOnPage(browser: Browser, page: Page): Promise<{ codes: Page; app: AuthenticatorApp }> {
  const app = AuthenticatorApp.fromPage(page);
  const values = { code: app.code(), name: "Phone" };
  return { app, codes: await browser.submit(page, page.formWith("code"), { values }) };
}

/** The same, and says that the codes are saved. */
export async function enrollOnPage(browser: Browser, page: Page): Promise<{ page: Page; app: AuthenticatorApp }> {
  const { app, codes } = await addAppOnPage(browser, page);
  return { app, page: await browser.submit(codes, codes.formWith("csrf"), { values: { saved: "1" } }) };
}
