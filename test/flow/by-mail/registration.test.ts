import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMailWorld, freshEmail, type MailWorld, openBrowserSomewhere, type } from "./mail-world.ts";
import { decideConsent, submitSignIn } from "../../support/journeys.ts";

const PASSWORD = "velvet-otter-piano-42";

let world: MailWorld;
beforeAll(async () => {
  world = await createMailWorld();
});
afterAll(() => world.close());

/** As far as the page that asks for the code. */
async function ask(email: string) {
  const browser = openBrowserSomewhere(world);
  const { url } = await world.apps.shopWeb.begin({ prompt: "create" });
  const page = await browser.open(url);
  expect(page.forms.flatMap(({ fields }) => [...fields.keys()])).not.toContain("password");
  return { browser, codePage: await type(browser, page, { email }) };
}

describe("creating an account, with the address proved first", () => {
  test("by the code: the app gets its code, and email_verified is true", async () => {
    const email = freshEmail("nora");
    const { browser, codePage } = await ask(email);
    expect(codePage.heading).toBe("Check your mail");
    expect(codePage.text).toContain(email);
    const mail = await world.mailTo(email);
    expect(mail.subject).toBe(`${mail.code} is your Example ID code`);
    const wrong = await type(browser, codePage, { code: "000000" === mail.code ? "000001" : "000000" });
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain("That isn’t the code.");
    const nameAndPassword = await type(browser, wrong, { code: ` ${mail.code} ` });
    const short = await type(browser, nameAndPassword, { name: "Nora North", password: "short" });
    expect(short.status).toBe(400);
    expect(short.html).toContain('value="Nora North"');
    const consent = await type(browser, short, { name: "Nora North", password: PASSWORD });
    const back = await decideConsent(browser, consent, "Allow");
    expect(back.url.searchParams.get("code")).toBeTruthy();
    expect(await world.latchkey.accounts.findByEmail(email)).toMatchObject({ emailVerified: true, name: "Nora North" });
  });

  test("by the link in the same browser: the sign-in at the app goes on", async () => {
    const email = freshEmail("nora");
    const { browser } = await ask(email);
    const { link } = await world.mailTo(email);
    const page = await browser.open(link);
    expect(page.url.pathname).toMatch(/^\/interaction\/[^/]+\/new-account$/);
    const consent = await type(browser, page, { name: "Nora", password: PASSWORD });
    expect((await decideConsent(browser, consent, "Allow")).url.host).toBe("shop.example.com");
  });

  test("by the link on another device: the account is there, and the app is one click away", async () => {
    const email = freshEmail("nora");
    const { browser, codePage } = await ask(email);
    const { link, code } = await world.mailTo(email);
    const phone = openBrowserSomewhere(world);
    const done = await type(phone, await phone.open(link), { name: "Nora", password: PASSWORD });
    expect(done.heading).toBe("Your account is ready");
    const signIn = await phone.click(done, /^Continue to sign in$/);
    // The request asked for a new account, and there is one now.
    expect(signIn.status).toBe(200);
    const late = await type(browser, codePage, { code });
    expect(late.text).not.toContain("is confirmed");
  });

  test("an address that has an account gets the same answer, and its owner another mail [ASVS 6.3.8]", async () => {
    const email = freshEmail("owner");
    await world.latchkey.accounts.register(
      { email, name: "Olga", password: PASSWORD, emailVerified: true },
      "operator",
    );
    const stranger = freshEmail("stranger");
    const known = (await ask(email.toUpperCase())).codePage;
    const unknown = (await ask(stranger.toUpperCase())).codePage;
    const neutral = (html: string, address: string): string =>
      html.replaceAll(new RegExp(address, "gi"), "EMAIL").replaceAll(/[\w-]{16,}/g, "X");
    expect(known.status).toBe(unknown.status);
    expect(neutral(known.html, email)).toBe(neutral(unknown.html, stranger));
    const mail = await world.mailTo(email.toUpperCase().replace("EXAMPLE.COM", "example.com"));
    expect(mail.subject).toBe("You have a Example ID account already");
    expect(mail.code).toBe("");
    expect(mail.link.pathname).toBe("/account");
  });

  test("the code has five tries, and the sixth is not looked at though it is right [ASVS 6.6.3]", async () => {
    const email = freshEmail("mallory");
    const { browser, codePage } = await ask(email);
    const { code } = await world.mailTo(email);
    const wrongCode = String((Number(code.replace(" ", "")) + 1) % 1_000_000).padStart(6, "0");
    let page = codePage;
    for (let count = 0; count < 5; count += 1) page = await type(browser, page, { code: wrongCode });
    const last = await type(browser, page, { code });
    expect(last.status).toBe(400);
    expect(last.text).toContain("This code can’t be used any more.");
  });

  test("the code typed for one address is none for another, and no link of another kind opens it", async () => {
    const [first, second] = [freshEmail("first"), freshEmail("second")];
    await ask(first);
    const { browser, codePage } = await ask(second);
    const { code, link } = await world.mailTo(first);
    // One in a million times they are the same digits, and a right one leads on.
    const isOwn = code === (await world.mailTo(second)).code;
    expect((await type(browser, codePage, { code })).status).toBe(isOwn ? 200 : 400);
    const token = link.searchParams.get("token") ?? "";
    for (const path of ["/reset-password/new", "/undo-email-change", "/reset-password/second-factor"]) {
      const page = await browser.open(world.at(`${path}?token=${token}`));
      expect(page.status).toBe(400);
      expect(page.heading).toBe("This link can’t be used any more");
    }
  });

  test("a link works once, also for two who press at once", async () => {
    const email = freshEmail("twice");
    await ask(email);
    const { link } = await world.mailTo(email);
    const browsers = [openBrowserSomewhere(world), openBrowserSomewhere(world)];
    const pages = await Promise.all(browsers.map(async (browser) => ({ browser, page: await browser.open(link) })));
    const done = await Promise.all(
      pages.map(({ browser, page }, at) => type(browser, page, { name: `Twin ${at}`, password: PASSWORD })),
    );
    expect(done.filter(({ heading }) => heading === "Your account is ready")).toHaveLength(1);
    expect((await openBrowserSomewhere(world).open(link)).heading).toBe("This link can’t be used any more");
  });
});

describe("an invitation", () => {
  test("lets one person in, and nobody else is told of it", async () => {
    const email = freshEmail("guest");
    await world.latchkey.accounts.byMail.registration.invite({ email, locale: "de" });
    const mail = await world.mailTo(email);
    expect(mail.subject).toBe("Einladung zu Example ID");
    const browser = openBrowserSomewhere(world);
    const done = await type(browser, await browser.open(mail.link), { name: "Greta Gast", password: PASSWORD });
    expect(done.heading).toBe("Your account is ready");
    const signIn = await browser.click(done, /^Sign in$/);
    expect((await submitSignIn(browser, signIn, { email, password: PASSWORD })).heading).toBe("Hello, Greta Gast");
  });

  test("of an address that has an account is refused", async () => {
    const invite = world.latchkey.accounts.byMail.registration.invite({
      email: "alice@example.com",
      locale: undefined,
    });
    await expect(invite).rejects.toMatchObject({ code: "ACCOUNT_EMAIL_TAKEN" });
  });
});
