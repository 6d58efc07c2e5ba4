import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAILBOX_ROUTES } from "../../../src/mail/index.ts";
import { signInAs } from "../../support/journeys.ts";
import { type LatchkeyOptions, startLatchkey, type TestLatchkey } from "../../support/latchkey.ts";
import { askNode } from "../../support/raw-http.ts";
import { createWorld, type World } from "../../support/world.ts";
import { registerPerson } from "../mfa/people.ts";

describe("the mailbox of an embedded server", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ stores: "embedded", settings: { BRAND_NAME: "Example ID" } });
  });
  afterAll(() => world.close());

  test("shows what would have been sent: found from the start page, as text with its links and as HTML apart", async () => {
    const { issuer } = world.latchkey;
    const nora = await registerPerson(world);
    await signInAs(world.openBrowser(), nora, issuer);
    await signInAs(world.openBrowser(), nora, issuer);
    const browser = world.openBrowser();
    const start = await browser.open(issuer);
    const list = start.linkTo(/open the mailbox/);
    const subject = /^New sign-in to your Example ID account$/;
    await expect.poll(async () => (await browser.open(list)).text, { timeout: 10_000 }).toContain(nora.email);
    const mail = await browser.open((await browser.open(list)).linkTo(subject));
    expect(mail.text).toContain(`To ${nora.email}`);
    expect(mail.linkTo(/activity\/not-me$/).href).toBe(`${issuer}/account/activity/not-me`);
    expect(mail.headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-src 'self'$/);
    const html = await browser.open(mail.linkTo(/^Open it on a page of its own$/));
    expect(html.heading).toMatch(subject);
    expect(html.headers.get("content-security-policy")).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation",
    );
    expect(html.headers.get("cache-control")).toBe("no-store");
  });

  test("has no mail but those that there are", async () => {
    const answer = await askNode(`${world.latchkey.issuer}/dev/mail/nobodys`, { headers: { accept: "text/html" } });
    expect(answer.status).toBe(404);
  });
});

const DEPLOYMENTS: readonly (readonly [string, LatchkeyOptions])[] = [
  ["a deployment on Postgres", { stores: "postgres" }],
  ["an embedded server that others reach", { stores: "embedded", settings: { ISSUER: "https://id.example.com" } }],
  [
    "an embedded server that sends its mails",
    { stores: "embedded", settings: { MAIL_URL: "smtp://127.0.0.1:9", MAIL_FROM: "id@example.com" } },
  ],
];

describe.each(DEPLOYMENTS)("%s", (_, options) => {
  let latchkey: TestLatchkey;
  beforeAll(async () => {
    latchkey = await startLatchkey(options);
  });
  afterAll(() => latchkey.close());

  test("has no such page, and no link to it", async () => {
    const headers = { host: new URL(latchkey.issuer).host, accept: "text/html" };
    const ask = (path: string) => askNode(`http://127.0.0.1:${latchkey.settings.PORT}${path}`, { headers });
    for (const route of MAILBOX_ROUTES) {
      expect((await ask(route.replace("GET ", "").replace(":id", "x"))).status).toBe(404);
    }
    expect((await ask("/")).body).not.toContain("/dev/mail");
  });
});
