import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decideConsent, signInAs, submitSignIn } from "../../support/journeys.ts";
import { submitTo } from "../account/account-world.ts";
import { createMailWorld, freshEmail, type MailWorld, openBrowserSomewhere, type } from "./mail-world.ts";

const PASSWORD = "velvet-otter-piano-42";

let world: MailWorld;
beforeAll(async () => {
  world = await createMailWorld();
});
afterAll(() => world.close());

/** Made by an operator, who does not vouch for the address. */
async function addPerson() {
  const person = { email: freshEmail("nora"), name: "Nora North", password: PASSWORD };
  const { id } = await world.latchkey.accounts.register(person, "operator");
  return { ...person, id };
}

/** As far as the page that offers the mail. */
async function signIn(person: { readonly email: string; readonly password: string }) {
  const browser = openBrowserSomewhere(world);
  const { url, redeem } = await beginAtShop();
  const page = await submitSignIn(browser, await browser.open(url), person);
  return { browser, page, redeem };
}

async function beginAtShop() {
  const begun = await world.apps.shopWeb.begin();
  return { url: begun.url, redeem: (back: URL) => world.apps.shopWeb.complete(begun, back) };
}

describe("an account whose address nobody has proved", () => {
  test("is used for nothing until it is: the app gets its code after that of the mail", async () => {
    const person = await addPerson();
    const { browser, page, redeem } = await signIn(person);
    expect(page.heading).toBe("Confirm your email");
    // Neither a session nor a way around the page.
    expect((await browser.open(world.at("/account"))).heading).toBe("Sign in");
    const codePage = await submitTo(browser, page, { action: page.forms[0]?.action ?? "" });
    expect((await type(browser, codePage, { code: "12" })).status).toBe(400);
    const consent = await type(browser, codePage, { code: (await world.mailTo(person.email)).code });
    const tokens = await redeem((await decideConsent(browser, consent, "Allow")).url);
    expect(tokens.claims.sub).toBe(person.id);
    expect(await world.latchkey.accounts.read(person.id)).toMatchObject({ emailVerified: true });
  });

  test("is proved by the link in the browser that waits for it, and the sign-in goes on", async () => {
    const person = await addPerson();
    const { browser, page } = await signIn(person);
    await submitTo(browser, page, { action: page.forms[0]?.action ?? "" });
    const asked = await browser.open((await world.mailTo(person.email)).link);
    expect(await world.latchkey.accounts.read(person.id)).toMatchObject({ emailVerified: false });
    const consent = await browser.submit(asked, asked.formWith("csrf"));
    expect(consent.heading).toMatch(/use your account/);
  });

  test("is not proved for whoever prepared it by its owner's press in another browser", async () => {
    // Mallory knows the password, and waits for the one who reads the mail to press a button.
    const victim = await addPerson();
    const { browser: mallory, page } = await signIn(victim);
    const codePage = await submitTo(mallory, page, { action: page.forms[0]?.action ?? "" });
    const { link } = await world.mailTo(victim.email);
    const owner = openBrowserSomewhere(world);
    const told = await owner.open(link);
    expect(told.text).toContain("type the code from the mail there");
    expect(told.forms).toEqual([]);
    expect(await world.latchkey.accounts.read(victim.id)).toMatchObject({ emailVerified: false });
    expect((await mallory.open(codePage.url)).heading).toBe("Check your mail");
  });

  test("is proved in a session that was there before, on the account page", async () => {
    const person = await addPerson();
    const { browser, page } = await signIn(person);
    const codePage = await submitTo(browser, page, { action: page.forms[0]?.action ?? "" });
    await type(browser, codePage, { code: (await world.mailTo(person.email)).code });
    const other = openBrowserSomewhere(world);
    expect((await signInAs(other, person, world.latchkey.issuer)).heading).toBe("Hello, Nora North");
    expect((await other.open(world.at("/account/email"))).text).not.toContain("Confirm your email");
  });

  test("needs no proof where an operator vouches for it", async () => {
    const person = { email: freshEmail("vouched"), name: "Vera", password: PASSWORD };
    await world.latchkey.accounts.register({ ...person, emailVerified: true }, "operator");
    expect((await signIn(person)).page.heading).toMatch(/use your account/);
  });
});
