import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signInAs, submitSignIn } from "../../support/journeys.ts";
import type { Browser, Page } from "../../support/browser.ts";
import { createMailWorld, freshEmail, type MailWorld, openBrowserSomewhere, type } from "./mail-world.ts";
import { AuthenticatorApp } from "../../support/authenticator-app.ts";
import { submitTo } from "../account/account-world.ts";

const SOURCE = { address: "198.51.100.9" };
const PASSWORD = "velvet-otter-piano-42";

let world: MailWorld;
beforeAll(async () => {
  world = await createMailWorld();
});
afterAll(() => world.close());

async function signInSomebody() {
  const person = { email: freshEmail("nora"), name: "Nora North", password: PASSWORD };
  const { id } = await world.latchkey.accounts.register({ ...person, emailVerified: true }, "operator");
  const browser = openBrowserSomewhere(world);
  await signInAs(browser, person, world.latchkey.issuer);
  return { ...person, id, browser };
}

const openEmail = (browser: Browser) => browser.open(world.at("/account/email"));
const read = (id: string) => world.latchkey.accounts.read(id);

describe("the address of an account", () => {
  test("is changed once the new one is proved; the old one is told, and may undo it [ASVS 6.3.7]", async () => {
    const { browser, email, id } = await signInSomebody();
    const newEmail = freshEmail("nora-new");
    await type(browser, await openEmail(browser), { email: newEmail });
    expect(await read(id)).toMatchObject({ email });
    const { link } = await world.mailTo(newEmail);
    // Somebody else who reads the mail is not the person who asked for it.
    const stranger = await signInSomebody();
    expect((await stranger.browser.open(link)).heading).toBe("This link can’t be used any more");
    const confirmation = await browser.open(link);
    expect(confirmation.text).toContain(newEmail);
    const done = await submitTo(browser, confirmation, { action: confirmation.forms.at(-1)?.action ?? "" });
    expect(done.text).toContain("Your email has been changed.");
    expect(await read(id)).toMatchObject({ email: newEmail, emailVerified: true });
    const told = await world.mailTo(email);
    expect(told.subject).toBe("Your Example ID email was changed");
    expect(told.text).not.toContain(newEmail);

    const victim = openBrowserSomewhere(world);
    const undo = await victim.open(told.link);
    expect(await read(id)).toMatchObject({ email: newEmail });
    const password = await victim.submit(undo, undo.formWith("csrf"));
    expect(password.url.pathname).toBe("/reset-password/new");
    expect(await read(id)).toMatchObject({ email, emailVerified: true });
    expect((await browser.open(world.at("/account"))).heading).toBe("Sign in");
    await type(victim, password, { password: "harbor-thimble-walnut-5" });
    const signIn = await signInAs(
      victim,
      { email, name: "", password: "harbor-thimble-walnut-5" },
      world.latchkey.issuer,
    );
    expect(signIn.heading).toBe("Hello, Nora North");
    expect((await victim.open(told.link)).heading).toBe("This link can’t be used any more");
  });

  test("is taken back from a thief who added a second factor: it keeps nobody out [ASVS 6.4.4]", async () => {
    const { browser, email, id } = await signInSomebody();
    const newEmail = freshEmail("thief");
    const code = await type(browser, await openEmail(browser), { email: newEmail });
    await type(browser, code, { code: (await world.mailTo(newEmail)).code });
    const { factors } = world.latchkey;
    const { secret } = await factors.totp.beginEnrollment({ id, email: newEmail }, "thief");
    const enrolled = { binding: "thief", code: new AuthenticatorApp(secret).code(), name: "Thief", source: SOURCE };
    expect(await factors.totp.confirmEnrollment(id, enrolled)).toMatchObject({ outcome: "accepted" });
    const victim = openBrowserSomewhere(world);
    const undo = await victim.open((await world.mailTo(email)).link);
    const password = await victim.submit(undo, undo.formWith("csrf"));
    expect(password.url.pathname).toBe("/reset-password/new");
    const done = await type(victim, password, { password: "harbor-thimble-walnut-5" });
    expect(done.heading).toBe("Your password has been changed");
    expect(await factors.hasAny(id)).toBe(false);
  });

  test("that another account has is not told to whoever asks, and its owner is [ASVS 6.3.8]", async () => {
    const owner = await signInSomebody();
    const { browser, id, email } = await signInSomebody();
    const code = await type(browser, await openEmail(browser), { email: owner.email });
    expect(code.heading).toBe("Check your mail");
    expect((await world.mailTo(owner.email)).subject).toBe("You have a Example ID account already");
    expect((await type(browser, code, { code: "123456" })).text).toContain("That isn’t the code.");
    expect(await read(id)).toMatchObject({ email });
  });

  test("is taken by nobody else while it may be taken back", async () => {
    const { browser, email } = await signInSomebody();
    const newEmail = freshEmail("nora-new");
    const code = await type(browser, await openEmail(browser), { email: newEmail });
    await type(browser, code, { code: (await world.mailTo(newEmail)).code });
    const register = world.latchkey.accounts.register({ email, name: "Mallory", password: PASSWORD }, "operator");
    await expect(register).rejects.toMatchObject({ code: "ACCOUNT_EMAIL_TAKEN" });
    await world.mailTo(email);
    const code2 = await type(browser, await openEmail(browser), { email });
    const back = await type(browser, code2, { code: (await world.mailTo(email, 2)).code });
    expect(back.text).toContain("Your email has been changed.");
  });

  test("is confirmed by one of two accounts that prove it at once", async () => {
    const people = [await signInSomebody(), await signInSomebody()];
    const shared = freshEmail("shared");
    const asked: { browser: Browser; page: Page; code: string }[] = [];
    for (const [at, { browser }] of people.entries()) {
      const page = await type(browser, await openEmail(browser), { email: shared });
      asked.push({ browser, page, code: (await world.mailTo(shared, at + 1)).code });
    }
    const done = await Promise.all(asked.map(({ browser, page, code }) => type(browser, page, { code })));
    expect(done.map(({ status }) => String(status)).toSorted()).toEqual(["200", "409"]);
    const owners = await Promise.all(people.map(({ id }) => read(id)));
    expect(owners.filter((account) => account?.email === shared)).toHaveLength(1);
  });

  test("is asked for again after the sign-in that a link needs", async () => {
    const { browser, email } = await signInSomebody();
    const newEmail = freshEmail("nora-new");
    await type(browser, await openEmail(browser), { email: newEmail });
    const { link } = await world.mailTo(newEmail);
    const phone = openBrowserSomewhere(world);
    const page = await submitSignIn(phone, await phone.open(link), { email, password: PASSWORD });
    expect(page.heading).toBe("Use this email?");
  });
});
