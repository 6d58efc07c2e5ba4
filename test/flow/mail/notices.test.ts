import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../../src/observability/index.ts";
import type { Browser } from "../../support/browser.ts";
import { signInAs } from "../../support/journeys.ts";
import { headerOf, type MailServer, partOf, startMailServer } from "../../support/mail-server.ts";
import { createWorld, type World } from "../../support/world.ts";
import { submitTo } from "../account/account-world.ts";
import { enrollOnPage, enrollPerson, registerPerson, submitCode } from "../mfa/people.ts";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

let world: World;
let server: MailServer;
const logged: string[] = [];
beforeAll(async () => {
  server = await startMailServer();
  const destination = { write: (line: string) => void logged.push(line) };
  world = await createWorld({
    stores: "postgres",
    logger: createLogger({ level: "debug", destination }),
    settings: {
      MAIL_URL: server.url,
      MAIL_FROM: "id@example.com",
      EMAIL_VERIFICATION: "off",
      BRAND_NAME: "Example ID",
      REFRESH_REPLAY_SECONDS: "0",
    },
  });
});
afterAll(async () => {
  await world.close();
  await server.close();
});

type Addressee = { readonly email: string };

const mailsTo = ({ email }: Addressee) => server.received.filter(({ to }) => to.includes(email));
const subjectsTo = (person: Addressee) => mailsTo(person).map((mail) => headerOf(mail, "Subject") ?? "");

/** What becomes so in its own time, on a busy machine too. */
function subjectsOf(person: Addressee) {
  return expect.poll(() => subjectsTo(person).toSorted(), { timeout: 10_000, interval: 20 });
}

/** Nothing waits any more: whoever was to be told has been told. */
async function untilAllSent(): Promise<void> {
  const readBacklog = async (): Promise<number> => (await world.latchkey.mail.readBacklog()).waiting;
  await expect.poll(readBacklog, { timeout: 10_000, interval: 20 }).toBe(0);
}

const openBrowser = (): Browser => world.openBrowser({ "user-agent": FIREFOX });
const signOut = async (browser: Browser) =>
  submitTo(browser, await browser.open(at("")), { action: "/account/sign-out" });
const at = (path: string): string => `${world.latchkey.issuer}/account${path}`;

describe("people are told by mail", () => {
  test("of a sign-in with a browser that is new to them, and of no other [ASVS 6.3.5]", async () => {
    const nora = await registerPerson(world);
    const browser = openBrowser();
    await signInAs(browser, nora, world.latchkey.issuer);
    await signOut(browser);
    await signInAs(browser, nora, world.latchkey.issuer);
    await untilAllSent();
    // The browser in which somebody signs in first, right after the account was created, is theirs.
    expect(subjectsTo(nora)).toEqual([]);
    await signInAs(openBrowser(), nora, world.latchkey.issuer);
    await subjectsOf(nora).toEqual(["New sign-in to your Example ID account"]);
    const [mail] = mailsTo(nora);
    const text = mail === undefined ? "" : partOf(mail, "text/plain").replaceAll("\r\n", "\n");
    expect(text).toMatch(/When: \d+ \w+ \d{4}, \d\d:\d\d UTC\nDevice: Firefox on Linux\nFrom: (127\.0\.0\.1|::1)\n/);
    expect(text).toContain(at("/activity/not-me"));
    await signOut(browser);
    await signInAs(browser, nora, world.latchkey.issuer);
    await untilAllSent();
    expect(mailsTo(nora)).toHaveLength(1);
  });

  test("of a password that was changed", async () => {
    const nora = await registerPerson(world);
    const browser = openBrowser();
    await signInAs(browser, nora, world.latchkey.issuer);
    const page = await browser.open(at("/password"));
    const values = { current: nora.password, next: "harbor-thimble-walnut-5" };
    await browser.submit(page, page.formWith("current"), { values });
    await subjectsOf(nora).toEqual(["Your Example ID password was changed"]);
  });

  test("of a sign-in method that came, and one that went", async () => {
    const nora = await registerPerson(world);
    const browser = openBrowser();
    await signInAs(browser, nora, world.latchkey.issuer);
    await enrollOnPage(browser, await browser.open(at("/methods/app")));
    await subjectsOf(nora).toEqual(["New sign-in method on your Example ID account"]);
    const { totpDevices } = await world.latchkey.factors.overview(nora.id);
    await world.latchkey.factors.remove(nora.id, totpDevices[0]?.id ?? "", { address: "192.0.2.7" });
    await subjectsOf(nora).toEqual([
      "New sign-in method on your Example ID account",
      "Sign-in method removed from your Example ID account",
    ]);
  });

  test("of a recovery code that was used, and how many are left", async () => {
    const nora = await enrollPerson(world);
    const browser = openBrowser();
    const asked = await signInAs(browser, nora, world.latchkey.issuer);
    const page = await browser.open(asked.linkTo(/recovery code/i));
    await submitCode(browser, page, nora.recoveryCodes[0] ?? "");
    const subject = "A recovery code of your Example ID account was used";
    await subjectsOf(nora).toContain(subject);
    const mail = mailsTo(nora).find((each) => headerOf(each, "Subject") === subject);
    expect(mail && partOf(mail, "text/plain")).toContain("Codes left: 9");
  });

  test("of a refresh token that was presented twice", async () => {
    const nora = await registerPerson(world);
    const { shopWeb } = world.apps;
    const { refreshToken } = await shopWeb.signIn(openBrowser(), nora, { scope: "openid orders:read" });
    expect((await shopWeb.requestRefresh(refreshToken)).status).toBe(200);
    expect((await shopWeb.requestRefresh(refreshToken)).status).toBe(400);
    const subject = "We ended an app’s access to your Example ID account";
    const decoded = (header = ""): string =>
      header
        .replace(/\?=\s+=\?UTF-8\?Q\?/gi, "")
        .replace(/=\?UTF-8\?Q\?(.*?)\?=/gi, (_, text: string) =>
          decodeURIComponent(text.replaceAll("_", " ").replace(/=([0-9A-F]{2})/g, "%$1")),
        );
    await expect.poll(() => subjectsTo(nora).map(decoded), { timeout: 10_000 }).toEqual([subject]);
    const [mail] = mailsTo(nora);
    expect(mail && partOf(mail, "text/plain")).toContain("Shop came with a key to your account");
  });

  test("of sign-in methods that an operator removed, in the language of the account", async () => {
    const nora = await enrollPerson(world);
    const profile = { name: nora.name, locale: "de" };
    await world.latchkey.accounts.changeProfile(nora.id, profile, { address: "192.0.2.7" });
    await world.latchkey.factors.reset(nora.id);
    await expect
      .poll(() => subjectsTo(nora), { timeout: 10_000 })
      .toContain("Die Anmeldemethoden Ihres Kontos bei Example ID wurden entfernt");
  });
});

test("nothing of a mail is in the log, and nothing that can be read in the database", async () => {
  const nora = await registerPerson(world);
  await world.latchkey.factors.reset(nora.id);
  await signInAs(openBrowser(), nora, world.latchkey.issuer);
  await signInAs(openBrowser(), nora, world.latchkey.issuer);
  await subjectsOf(nora).toHaveLength(1);
  expect(logged.join("\n")).not.toMatch(/person-\d+@|New sign-in|Firefox on Linux/);
  await untilAllSent();
  const { rows } = await sql`select * from mail_outbox`.execute(world.latchkey.database.db);
  expect(rows).toEqual([]);
});
