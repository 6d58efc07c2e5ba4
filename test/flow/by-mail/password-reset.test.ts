import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "../../support/browser.ts";
import { signInAs, submitSignIn } from "../../support/journeys.ts";
import { enrollPerson, submitCode } from "../mfa/people.ts";
import { createMailWorld, freshEmail, type MailWorld, openBrowserSomewhere, type } from "./mail-world.ts";

const OLD = "velvet-otter-piano-42";
const NEW = "harbor-thimble-walnut-5";

let world: MailWorld;
beforeAll(async () => {
  world = await createMailWorld();
});
afterAll(() => world.close());

async function addPerson() {
  const person = { email: freshEmail("nora"), name: "Nora North", password: OLD };
  const { id } = await world.latchkey.accounts.register({ ...person, emailVerified: true }, "operator");
  return { ...person, id };
}

/** As far as the page that asks for the code. */
async function ask(email: string, browser = openBrowserSomewhere(world)): Promise<{ browser: Browser; page: Page }> {
  const start = await browser.open(world.at("/reset-password"));
  return { browser, page: await type(browser, start, { email }) };
}

const signedIn = async (email: string, password: string): Promise<boolean> => {
  const browser = openBrowserSomewhere(world);
  return (await signInAs(browser, { email, name: "", password }, world.latchkey.issuer)).status === 200;
};

describe("a forgotten password", () => {
  test("is replaced by the link; sessions, tokens and the old password are dead [ASVS 6.4.3, 7.4.3]", async () => {
    const person = await addPerson();
    const elsewhere = openBrowserSomewhere(world);
    const tokens = await world.apps.shopWeb.signIn(elsewhere, person);
    // The app's own sign-in is what the person wants, and where they end up.
    const browser = openBrowserSomewhere(world);
    const signIn = await browser.open((await world.apps.shopWeb.begin()).url);
    const start = await browser.click(signIn, /^Forgot your password\?$/);
    await type(browser, start, { email: person.email });
    const mail = await world.mailTo(person.email);
    const page = await browser.open(mail.link);
    expect(page.text).toContain("signed out everywhere");
    const weak = await type(browser, page, { password: "aaaaaaaaaaaaaa" });
    expect(weak.status).toBe(400);
    const done = await type(browser, weak, { password: NEW });
    expect(done.heading).toBe("Your password has been changed");
    expect((await elsewhere.open(world.at("/account"))).heading).toBe("Sign in");
    expect((await world.apps.shopWeb.requestRefresh(tokens.refreshToken)).status).toBe(400);
    const again = await browser.click(done, /^Continue to sign in$/);
    const back = await submitSignIn(browser, again, { email: person.email, password: NEW });
    expect(back.url.host === "shop.example.com" || back.text.includes("Allow")).toBe(true);
    expect(await signedIn(person.email, OLD)).toBe(false);
    expect((await browser.open(mail.link)).heading).toBe("This link can’t be used any more");
    await world.mailTo(person.email, 2);
    expect(world.subjectsTo(person.email)).toContain("Your Example ID password was changed");
  });

  test("is replaced by the code, typed where it was asked for", async () => {
    const { email } = await addPerson();
    const { browser, page } = await ask(email);
    const { code } = await world.mailTo(email);
    const done = await type(browser, await type(browser, page, { code }), { password: NEW });
    expect(done.heading).toBe("Your password has been changed");
    expect(await signedIn(email, NEW)).toBe(true);
  });

  test("lifts what strangers' guesses brought upon the account, and they cannot do it again to who has just reset it [ASVS 6.3.1]", async () => {
    const { id, email } = await addPerson();
    const guess = async () => {
      const guesses = Array.from({ length: 12 }, (_, at) =>
        world.latchkey.accounts.signIn({ email, password: "wrong", source: { address: `203.0.113.${at}` } }),
      );
      // A server that is too busy to hash has counted all the same.
      await Promise.allSettled(guesses);
    };
    await guess();
    // As if they had gone on for days.
    await sql`update consecutive_failures set failures = 100, expires_at = 'infinity' where subject = ${id}`.execute(
      world.latchkey.database.db,
    );
    const stranger = openBrowserSomewhere(world);
    const stopped = await signInAs(stranger, { email, name: "", password: OLD }, world.latchkey.issuer);
    expect(stopped.status).toBe(429);
    expect(stopped.text).toContain("Reset it by email");
    const { browser, page } = await ask(email);
    const { code } = await world.mailTo(email);
    const done = await type(browser, await type(browser, page, { code }), { password: NEW });
    expect(done.heading).toBe("Your password has been changed");
    await guess();
    const again = await browser.open((await world.apps.shopWeb.begin()).url);
    expect((await submitSignIn(browser, again, { email, password: NEW })).status).toBe(200);
    expect(await signedIn(email, NEW)).toBe(false);
  });

  test("needs the second factor of who has one, which stays [ASVS 6.4.3]", async () => {
    const person = await enrollPerson(world);
    // The one before tells of the factor.
    await world.mailTo(person.email);
    const { browser } = await ask(person.email);
    const { link } = await world.mailTo(person.email, 2);
    const token = link.searchParams.get("token") ?? "";
    const factor = await browser.open(link);
    expect(factor.url.pathname).toBe("/reset-password/second-factor");
    // The last step without the one before it.
    const csrf = factor.formWith("code").fields.get("csrf") ?? "";
    const skipped = await browser.fetch(world.at(`/reset-password/new?token=${encodeURIComponent(token)}`), {
      method: "POST",
      headers: { origin: world.latchkey.issuer },
      body: new URLSearchParams({ csrf, password: NEW }),
    });
    expect(skipped.headers.get("location")).toMatch(/^\/reset-password\/second-factor/);
    expect((await submitCode(browser, factor, "000000")).status).toBe(400);
    const recovery = await browser.click(factor, /recovery code/);
    const page = await submitCode(browser, recovery, person.recoveryCodes[0] ?? "");
    expect(page.url.pathname).toBe("/reset-password/new");
    expect((await type(browser, page, { password: NEW })).heading).toBe("Your password has been changed");
    expect(await world.latchkey.factors.hasAny(person.id)).toBe(true);
    const next = await signInAs(openBrowserSomewhere(world), { ...person, password: NEW }, world.latchkey.issuer);
    expect(next.url.pathname).toMatch(/second-factor$/);
  });

  test("is answered alike for an address without an account, which is told by mail [ASVS 6.3.8]", async () => {
    const known = (await addPerson()).email;
    const unknown = freshEmail("nobody");
    const [first, second] = [await ask(known), await ask(unknown)];
    const neutral = (html: string, address: string): string =>
      html.replaceAll(address, "EMAIL").replaceAll(/[\w-]{16,}/g, "X");
    expect(neutral(first.page.html, known)).toBe(neutral(second.page.html, unknown));
    expect((await world.mailTo(unknown)).subject).toBe("No Example ID account with this email");
    expect((await type(second.browser, second.page, { code: "123456" })).text).toContain("That isn’t the code.");
  });

  test("of a disabled account is not replaced, and a link from before dies with a change [ASVS 6.4.1]", async () => {
    const person = await addPerson();
    await ask(person.email);
    const { link } = await world.mailTo(person.email);
    await world.latchkey.accounts.disable(person.id);
    const browser = openBrowserSomewhere(world);
    expect((await browser.open(link)).heading).toBe("This link can’t be used any more");
    await ask(person.email);
    expect((await world.mailTo(person.email, 2)).subject).toBe("No Example ID account with this email");
    await world.latchkey.accounts.enable(person.id);
    const change = { current: OLD, next: NEW, source: { address: "198.51.100.3" } };
    await world.latchkey.accounts.changePassword(person.id, change);
    expect((await browser.open(link)).heading).toBe("This link can’t be used any more");
  });

  test("is reset by one of two who press at once", async () => {
    const { email } = await addPerson();
    await ask(email);
    const { link } = await world.mailTo(email);
    const browsers = [openBrowserSomewhere(world), openBrowserSomewhere(world)] as const;
    const pages = await Promise.all(browsers.map((browser) => browser.open(link)));
    const done = await Promise.all(
      pages.map((page, at) => type(browsers[at] ?? browsers[0], page, { password: `${NEW}-${at}` })),
    );
    const headings = done.map(({ heading }) => heading).toSorted();
    expect(headings).toEqual(["This link can’t be used any more", "Your password has been changed"]);
  });

  test.each([
    ["Host", { host: "evil.example" }],
    ["X-Forwarded-Host", { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http" }],
  ])("has the issuer's origin in its link, whatever %s says", async (_, headers) => {
    const { email } = await addPerson();
    const browser = world.openBrowser(headers);
    const start = await browser.open(world.at("/reset-password"));
    if (start.status === 421) return;
    await type(browser, start, { email });
    expect((await world.mailTo(email)).link.origin).toBe(world.latchkey.issuer);
  });

  test("is not reset by a form of another site", async () => {
    const { email } = await addPerson();
    const { browser } = await ask(email);
    const { link } = await world.mailTo(email);
    const page = await browser.open(link);
    const response = await browser.fetch(page.url, {
      method: "POST",
      headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
      body: new URLSearchParams({ csrf: page.formWith("password").fields.get("csrf") ?? "", password: NEW }),
    });
    expect(response.status).toBe(403);
    expect(await signedIn(email, OLD)).toBe(true);
  });
});
