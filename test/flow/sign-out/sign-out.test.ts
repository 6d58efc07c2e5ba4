import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "../../support/browser.ts";
import { alice, bob } from "../../support/cast.ts";
import { signInAs } from "../../support/journeys.ts";
import { errorOf, type Tokens } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";

const BYE = "https://notes.example.com/bye";
let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

function endSessionUrl(parameters: Record<string, string>): URL {
  const url = new URL(world.server.end_session_endpoint ?? "");
  url.search = new URLSearchParams(parameters).toString();
  return url;
}

async function isSignedIn(browser: Browser): Promise<boolean> {
  const { url } = await browser.open((await world.apps.notesWeb.begin({ prompt: "none" })).url);
  return url.searchParams.has("code");
}

async function choose(browser: Browser, page: Page, button: RegExp): Promise<Page> {
  const form = page.formWith("xsrf");
  return await browser.submit(page, form, { button });
}

/** Signs in at an app and says with what it may ask for a sign-out. */
async function openSignedIn(): Promise<{ browser: Browser; tokens: Tokens }> {
  const browser = world.openBrowser();
  return { browser, tokens: await world.apps.notesWeb.signIn(browser, alice) };
}

describe("a sign-out that an app asks for [OIDC RP-Initiated Logout]", () => {
  test("is confirmed first, also with a hint [ASVS 10.6.2]", async () => {
    const { browser, tokens } = await openSignedIn();
    const page = await browser.open(endSessionUrl({ id_token_hint: tokens.idToken }));
    expect(page.heading).toBe("Sign out?");
    expect(page.text).toContain(alice.email);
    expect(await isSignedIn(browser)).toBe(true);
  });

  test("ends at the app, at exactly the address that it registered, with its state", async () => {
    const { browser, tokens } = await openSignedIn();
    const url = endSessionUrl({ id_token_hint: tokens.idToken, post_logout_redirect_uri: BYE, state: "st-1" });
    const page = await browser.open(url);
    expect(page.headers.get("content-security-policy")).toContain("form-action 'self' https://notes.example.com");
    const left = await choose(browser, page, /^Sign out$/);
    expect(left.url.href).toBe(`${BYE}?state=st-1`);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test("ends at our own page when the app named no address", async () => {
    const { browser } = await openSignedIn();
    const left = await choose(browser, await browser.open(endSessionUrl({ client_id: "notesWeb" })), /^Sign out$/);
    expect(left.heading).toBe("You’re signed out");
    expect(left.linkTo(/^Sign in again$/).pathname).toBe("/sign-in");
    expect(await isSignedIn(browser)).toBe(false);
  });

  test("may be declined: the session stays, and only the app that asked has to sign in again", async () => {
    const { browser, tokens } = await openSignedIn();
    const mail = await world.apps.mailWeb.signIn(browser, alice);
    const url = endSessionUrl({ id_token_hint: tokens.idToken, post_logout_redirect_uri: BYE });
    const left = await choose(browser, await browser.open(url), /^Stay signed in$/);
    expect(left.url.href).toBe(BYE);
    expect(await isSignedIn(browser)).toBe(true);
    await expect(world.apps.mailWeb.refresh(mail.refreshToken)).resolves.toBeDefined();
    expect(await errorOf(world.apps.notesWeb.refresh(tokens.refreshToken))).toBe("invalid_grant");
  });

  test("from a form of another site signs nobody out", async () => {
    const { browser, tokens } = await openSignedIn();
    const response = await browser.fetch(endSessionUrl({}).href, {
      method: "POST",
      headers: { origin: "https://mallory.example.com", "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ id_token_hint: tokens.idToken, logout: "yes" }).toString(),
    });
    // It comes back as a GET, which asks the person (ASVS 10.6.2).
    expect(response.status).toBe(303);
    const page = await browser.open(new URL(response.headers.get("location") ?? "", world.latchkey.issuer));
    expect(page.heading).toMatch(/Sign out/);
    expect(await isSignedIn(browser)).toBe(true);
  });

  test("cannot be confirmed without the page's token", async () => {
    const { browser } = await openSignedIn();
    const page = await browser.open(endSessionUrl({ client_id: "notesWeb" }));
    const target = new URL(page.formWith("xsrf").action, page.url).href;
    for (const xsrf of ["", "0123456789abcdef"]) {
      const body = new URLSearchParams({ xsrf, logout: "yes" });
      const response = await browser.fetch(target, { method: "POST", body });
      expect(response.status).toBe(400);
    }
    expect(await isSignedIn(browser)).toBe(true);
  });

  test("without anybody signed in ends at the app, or our own page, without another click", async () => {
    const { tokens } = await openSignedIn();
    const url = endSessionUrl({ id_token_hint: tokens.idToken, post_logout_redirect_uri: BYE, state: "st-2" });
    expect((await world.openBrowser().open(url)).url.href).toBe(`${BYE}?state=st-2`);
    expect((await world.openBrowser().open(endSessionUrl({}))).heading).toBe("You’re signed out");
  });
});

describe("after a sign-out [ASVS 7.4.1]", () => {
  test("the old cookie, refresh token, opaque access token and an unused code are refused", async () => {
    const { notesWeb } = world.apps;
    const { browser, tokens } = await openSignedIn();
    const unused = await notesWeb.begin();
    const { url: unusedCallback } = await browser.open(unused.url);
    const oldJar = browser.jar.copy();
    await choose(browser, await browser.open(endSessionUrl({ id_token_hint: tokens.idToken })), /^Sign out$/);
    const thief = world.openBrowser();
    for (const cookie of oldJar.list()) {
      thief.jar.keep(
        new URL(world.latchkey.issuer),
        new Headers({ "set-cookie": `${cookie.name}=${cookie.value}; Path=${cookie.path}` }),
      );
    }
    expect(await isSignedIn(thief)).toBe(false);
    expect(await errorOf(notesWeb.refresh(tokens.refreshToken))).toBe("invalid_grant");
    expect(await errorOf(notesWeb.userInfo(tokens.accessToken, tokens.claims.sub))).toBe("invalid_token");
    expect(await errorOf(notesWeb.complete(unused, unusedCallback))).toBe("invalid_grant");
  });

  test("at the account page everything is just as dead", async () => {
    const { notesWeb } = world.apps;
    const { browser, tokens } = await openSignedIn();
    const account = await browser.open(`${world.latchkey.issuer}/account`);
    const left = await browser.submit(account, account.formWith("csrf"));
    expect(left.heading).toBe("You’re signed out");
    expect(await isSignedIn(browser)).toBe(false);
    expect(await errorOf(notesWeb.refresh(tokens.refreshToken))).toBe("invalid_grant");
    expect(await errorOf(notesWeb.userInfo(tokens.accessToken, tokens.claims.sub))).toBe("invalid_token");
  });

  test("the person's other browsers are still signed in, and so is everybody else", async () => {
    const { browser } = await openSignedIn();
    const { browser: other } = await openSignedIn();
    const bobs = world.openBrowser();
    await signInAs(bobs, bob, world.latchkey.issuer);
    const account = await browser.open(`${world.latchkey.issuer}/account`);
    await browser.submit(account, account.formWith("csrf"));
    expect(await isSignedIn(other)).toBe(true);
    expect(await isSignedIn(bobs)).toBe(true);
  });
});
