import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice, bob, mallory } from "../../support/cast.ts";
import { authorizeAs, decideConsent, signInAs, submitSignIn } from "../../support/journeys.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

const openSignedIn = async () => {
  const browser = world.openBrowser();
  await signInAs(browser, alice, world.latchkey.issuer);
  return browser;
};

const errorOf = (url: URL): string | null => url.searchParams.get("error");

describe("prompt=none", () => {
  test("without a session is login_required [OIDC Core 3.1.2.6]", async () => {
    const { url } = await world.openBrowser().open((await world.apps.notesWeb.begin({ prompt: "none" })).url);
    expect(errorOf(url)).toBe("login_required");
  });

  test("with a session and nothing to ask gives a code", async () => {
    const request = await world.apps.notesWeb.begin({ prompt: "none" });
    const { url } = await (await openSignedIn()).open(request.url);
    await expect(world.apps.notesWeb.complete(request, url)).resolves.toBeDefined();
  });

  test("for an app that was never allowed is consent_required", async () => {
    const browser = world.openBrowser();
    await signInAs(browser, mallory, world.latchkey.issuer);
    const { url } = await browser.open((await world.apps.shopWeb.begin({ prompt: "none" })).url);
    expect(errorOf(url)).toBe("consent_required");
    expect(url.searchParams.get("iss")).toBe(world.latchkey.issuer);
  });

  test("together with another prompt is invalid_request", async () => {
    const { url } = await world.openBrowser().open((await world.apps.notesWeb.begin({ prompt: "none login" })).url);
    expect(errorOf(url)).toBe("invalid_request");
  });
});

describe("prompt=login", () => {
  test("asks for the password again and moves auth_time on [OIDC Core 3.1.2.1]", async () => {
    const { notesWeb } = world.apps;
    const browser = world.openBrowser();
    const first = await notesWeb.signIn(browser, alice, { max_age: "86400" });
    startTimeTravel().advanceSeconds(30);
    const request = await notesWeb.begin({ prompt: "login", max_age: "86400" });
    const page = await browser.open(request.url);
    expect(page.heading).toBe("Sign in");
    expect(page.text).toContain(alice.email);
    const second = await notesWeb.complete(request, (await submitSignIn(browser, page, alice)).url);
    expect(second.claims.auth_time ?? 0).toBeGreaterThanOrEqual((first.claims.auth_time ?? 0) + 30);
  });

  test("is not satisfied by the session, whatever is done with the resume address", async () => {
    const browser = await openSignedIn();
    const page = await browser.open((await world.apps.notesWeb.begin({ prompt: "login" })).url);
    const uid = page.url.pathname.split("/")[2] ?? "";
    const resumed = await browser.open(`${world.latchkey.issuer}/authorize/${uid}`);
    expect(resumed.url.searchParams.has("code")).toBe(false);
  });
});

test("prompt=consent asks again, also what was allowed before", async () => {
  const { shopWeb } = world.apps;
  const browser = world.openBrowser();
  await shopWeb.signIn(browser, alice);
  const page = await browser.open((await shopWeb.begin({ prompt: "consent" })).url);
  expect(page.heading).toBe("Let Shop use your account?");
});

test("prompt=consent asks nobody about our own account page", async () => {
  const browser = await openSignedIn();
  const signIn = await browser.fetch(`${world.latchkey.issuer}/sign-in`);
  const url = new URL(signIn.headers.get("location") ?? `${world.latchkey.issuer}/authorize`, world.latchkey.issuer);
  expect(url.searchParams.get("client_id")).toBe("latchkey-account");
  url.searchParams.set("prompt", "consent");
  const page = await browser.open(url);
  expect(page.url.pathname).toBe("/account");
  expect(page.status).toBe(200);
});

test("“Not you?” keeps what the app wants to be asked: offline_access comes with consent", async () => {
  const { shopWeb } = world.apps;
  const browser = world.openBrowser();
  const request = await shopWeb.begin({ scope: "openid offline_access", prompt: "consent" });
  const page = await submitSignIn(browser, await browser.open(request.url), alice);
  const form = page.forms.find(({ buttons }) => buttons.some(({ label }) => label === "Use another account"));
  if (form === undefined) throw new Error(`nobody is asked who they are: ${page.text}`);
  const signIn = await browser.submit(page, form, { button: /^Use another account$/ });
  expect(signIn.heading).toBe("Sign in");
  const consent = await submitSignIn(browser, signIn, bob);
  expect(consent.text).toContain("Stay connected while you’re away");
  const { claims } = await shopWeb.complete(request, (await decideConsent(browser, consent, "Allow")).url);
  expect(claims.sub).toBe(await world.accountIdOf(bob.email));
});

test("prompt=create opens the registration page and signs the new person in [OIDC Prompt Create 3]", async () => {
  const { notesWeb } = world.apps;
  const browser = world.openBrowser();
  const request = await notesWeb.begin({ prompt: "create" });
  const page = await browser.open(request.url);
  expect(page.heading).toBe("Create your account");
  const values = { name: "Nora North", email: "nora@example.com", password: "maple-thunder-cabin-31" };
  const { url } = await browser.submit(page, page.formWith("name"), { values });
  const { claims } = await notesWeb.complete(request, url);
  expect(claims.sub).toBe(await world.accountIdOf("nora@example.com"));
});

describe("max_age", () => {
  test("younger than the sign-in asks again, and the ID token tells when [OIDC Core 3.1.2.1]", async () => {
    const { notesWeb } = world.apps;
    const browser = await openSignedIn();
    startTimeTravel().advanceSeconds(120);
    const request = await notesWeb.begin({ max_age: "60" });
    const page = await browser.open(request.url);
    expect(page.heading).toBe("Sign in");
    const { claims } = await notesWeb.complete(request, (await submitSignIn(browser, page, alice)).url);
    expect(Math.abs((claims.auth_time ?? 0) - Date.now() / 1000)).toBeLessThan(20);
  });

  test("older than the sign-in asks nothing", async () => {
    const request = await world.apps.notesWeb.begin({ max_age: "3600" });
    const { url } = await (await openSignedIn()).open(request.url);
    expect(url.searchParams.has("code")).toBe(true);
  });

  test("that is no number is invalid_request", async () => {
    const { url } = await world.openBrowser().open((await world.apps.notesWeb.begin({ max_age: "soon" })).url);
    expect(errorOf(url)).toBe("invalid_request");
  });
});

test("login_hint fills in the address", async () => {
  const page = await world.openBrowser().open((await world.apps.notesWeb.begin({ login_hint: bob.email })).url);
  expect(page.formWith("email").fields.get("email")).toBe(bob.email);
});

test("ui_locales=de speaks German, and still does after a mistake", async () => {
  const browser = world.openBrowser();
  const page = await browser.open((await world.apps.notesWeb.begin({ ui_locales: "de" })).url);
  expect(page.html).toContain('<html lang="de">');
  expect(page.heading).toBe("Anmelden");
  const again = await browser.submit(page, page.formWith("password"), { values: { email: "x" } });
  expect(again.html).toContain('<html lang="de">');
});

describe("id_token_hint", () => {
  test("of the person who is signed in changes nothing", async () => {
    const { notesWeb } = world.apps;
    const browser = world.openBrowser();
    const { idToken } = await notesWeb.signIn(browser, alice);
    const { url } = await browser.open((await notesWeb.begin({ prompt: "none", id_token_hint: idToken })).url);
    expect(url.searchParams.has("code")).toBe(true);
  });

  test("of another person is login_required with prompt=none [OIDC Core 3.1.2.1]", async () => {
    const { notesWeb } = world.apps;
    const { idToken } = await notesWeb.signIn(world.openBrowser(), bob);
    const request = await notesWeb.begin({ prompt: "none", id_token_hint: idToken });
    expect(errorOf((await (await openSignedIn()).open(request.url)).url)).toBe("login_required");
  });
});

test("a first-party app is never asked about, a third-party app once", async () => {
  const browser = await openSignedIn();
  expect((await browser.open((await world.apps.notesWeb.begin()).url)).url.searchParams.has("code")).toBe(true);
  const shop = await world.apps.shopWeb.begin({ scope: "openid email" });
  const { url } = await authorizeAs(browser, alice, shop.url);
  expect(url.searchParams.has("code")).toBe(true);
  const silent = await browser.open((await world.apps.shopWeb.begin({ scope: "openid email", prompt: "none" })).url);
  expect(silent.url.searchParams.has("code")).toBe(true);
});
