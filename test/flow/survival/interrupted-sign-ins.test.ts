import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "../../support/browser.ts";
import { alice, bob } from "../../support/cast.ts";
import { newSecret } from "../../support/latchkey.ts";
import { submitSignIn } from "../../support/journeys.ts";
import { createWorld, type World } from "../../support/world.ts";
import { type SentRequest } from "../../support/relying-party.ts";
import { startTimeTravel } from "../../support/time-travel.ts";

const HOUR_SECONDS = 60 * 60;
const EXPIRED = "This sign-in has expired";
let world: World;
let foreignWorld: World;
beforeAll(async () => {
  [world, foreignWorld] = await Promise.all([
    createWorld({ stores: "redis" }),
    createWorld({ stores: "postgres", settings: { LATCHKEY_SECRET: newSecret() } }),
  ]);
});
afterAll(async () => {
  await world.close();
  await foreignWorld.close();
});

interface OpenPage {
  readonly browser: Browser;
  readonly request: SentRequest;
  readonly page: Page;
}

async function openSignInPage(): Promise<OpenPage> {
  const browser = world.openBrowser();
  const request = await world.apps.notesWeb.begin();
  return { browser, request, page: await browser.open(request.url) };
}

/** The one link that leads on must end in the app. */
async function continueToApp({ browser, request }: OpenPage, page: Page): Promise<void> {
  expect(page.status).toBe(400);
  expect(page.heading).toBe(EXPIRED);
  let next = await browser.click(page, /^Continue to Notes$/);
  if (next.forms.some(({ fields }) => fields.has("password"))) next = await submitSignIn(browser, next, alice);
  await expect(world.apps.notesWeb.complete(request, next.url)).resolves.toBeDefined();
}

describe("a sign-in page still leads to the app", () => {
  test("when it was left open until the interaction had expired", async () => {
    const opened = await openSignInPage();
    startTimeTravel().advanceSeconds(2 * HOUR_SECONDS);
    await continueToApp(opened, await submitSignIn(opened.browser, opened.page, alice));
  });

  test("when its cookie was cleared before the form was sent", async () => {
    const opened = await openSignInPage();
    opened.browser.jar.clear();
    await continueToApp(opened, await submitSignIn(opened.browser, opened.page, alice));
  });

  test("when it is loaded again after its cookie was cleared", async () => {
    const opened = await openSignInPage();
    opened.browser.jar.clear();
    await continueToApp(opened, await opened.browser.open(opened.page.url));
  });

  test("when a second tab began another sign-in, in either order", async () => {
    const { browser, request, page } = await openSignInPage();
    const second = await world.apps.notesWeb.begin();
    const secondPage = await browser.open(second.url);
    const firstEnd = await submitSignIn(browser, page, alice);
    await expect(world.apps.notesWeb.complete(request, firstEnd.url)).resolves.toBeDefined();
    const answer = await submitSignIn(browser, secondPage, alice);
    const end = answer.status === 400 ? await browser.click(answer, /^Continue to Notes$/) : answer;
    await expect(world.apps.notesWeb.complete(second, end.url)).resolves.toBeDefined();
  });

  test("when the person goes back to it after they were signed in and sends it again", async () => {
    const { browser, request, page } = await openSignInPage();
    const end = await submitSignIn(browser, page, alice);
    await expect(world.apps.notesWeb.complete(request, end.url)).resolves.toBeDefined();
    const again = await submitSignIn(browser, page, alice);
    expect(again.heading).toBe(EXPIRED);
    const { url } = await browser.click(again, /^Continue to Notes$/);
    expect(url.searchParams.has("code")).toBe(true);
    expect(url.searchParams.get("state")).toBe(request.state);
  });

  test("when the address that resumes it is opened twice", async () => {
    const { browser, page, request } = await openSignInPage();
    const form = page.formWith("password");
    const values = { ...Object.fromEntries(form.fields), email: alice.email, password: alice.password };
    const answer = await browser.fetch(new URL(form.action, page.url), {
      method: "POST",
      body: new URLSearchParams(values),
    });
    expect(answer.status).toBe(303);
    const resume = new URL(answer.headers.get("location") ?? "", page.url);
    const end = await browser.open(resume);
    await expect(world.apps.notesWeb.complete(request, end.url)).resolves.toBeDefined();
    const twice = await browser.open(resume);
    expect(twice.status).toBe(400);
    const { url } = await browser.click(twice, /^Continue to Notes$/);
    expect(url.searchParams.has("code")).toBe(true);
  });

  test("when somebody else signed in in the meantime", async () => {
    const opened = await openSignInPage();
    const { browser } = opened;
    await world.apps.mailWeb.signIn(browser, bob);
    const answer = await submitSignIn(browser, opened.page, alice);
    const end = answer.status === 400 ? await browser.click(answer, /^Continue to Notes$/) : answer;
    const { claims } = await world.apps.notesWeb.complete(opened.request, end.url);
    expect([await world.accountIdOf(alice.email), await world.accountIdOf(bob.email)]).toContain(claims.sub);
  });
});

describe("a restart token", () => {
  const restart = (browser: Browser, token: string): Promise<Page> =>
    browser.open(`${world.latchkey.issuer}/interaction/restart?r=${encodeURIComponent(token)}`);
  const tokenOf = (page: Page): string => page.url.searchParams.get("r") ?? "";

  /** Nothing is known of the app: one link leads home, and nothing leads off-site. */
  function expectWayHome(page: Page): void {
    expect(page.status).toBe(404);
    expect(page.heading).toBe(EXPIRED);
    expect(page.linkTo(/^Go to your account$/).href).toBe(`${world.latchkey.issuer}/account`);
  }

  test("works for 24 hours and no longer", async () => {
    const { browser, page } = await openSignInPage();
    const time = startTimeTravel();
    time.advanceSeconds(24 * HOUR_SECONDS - 60);
    expect((await restart(browser, tokenOf(page))).heading).toBe("Sign in");
    time.advanceSeconds(120);
    expectWayHome(await restart(browser, tokenOf(page)));
  });

  test("that was altered, cut or made up is worth nothing", async () => {
    const { browser, page } = await openSignInPage();
    const token = tokenOf(page);
    const forgeries = [
      `${token.slice(0, -4)}AAAA`,
      token.slice(0, token.length / 2),
      "",
      "AAAA",
      Buffer.from('{"at":9999999999,"pushed":false,"params":{"client_id":"notesWeb"}}').toString("base64url"),
      "%00",
      "x".repeat(4_000),
    ];
    for (const forgery of forgeries) expectWayHome(await restart(browser, forgery));
  });

  test("of another deployment is worth nothing", async () => {
    const foreign = await foreignWorld.openBrowser().open((await foreignWorld.apps.notesWeb.begin()).url);
    expectWayHome(await restart(world.openBrowser(), tokenOf(foreign)));
  });

  test("says nothing of the person, and is checked like the request that it repeats", async () => {
    const { page } = await openSignInPage();
    const stranger = world.openBrowser();
    const again = await restart(stranger, tokenOf(page));
    expect(again.heading).toBe("Sign in");
    expect(again.formWith("email").fields.get("email")).toBe("");
  });
});

test("an interaction is of one browser: its address alone shows another one nothing [ASVS 10.4.6]", async () => {
  const { browser, page, request } = await openSignInPage();
  const thief = world.openBrowser();
  const seen = await thief.open(page.url);
  expect(seen.heading).toBe(EXPIRED);
  expect((await submitSignIn(thief, page, bob)).heading).toBe(EXPIRED);
  const end = await submitSignIn(browser, page, alice);
  expect((await world.apps.notesWeb.complete(request, end.url)).claims.sub).toBe(await world.accountIdOf(alice.email));
});
