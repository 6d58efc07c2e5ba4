import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signInAs, submitSignIn } from "../../support/journeys.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { createWorld, type World } from "../../support/world.ts";
import { type EnrolledPerson, enrollOnPage, enrollPerson, registerPerson, submitCode } from "./people.ts";

const MFA = "urn:latchkey:acr:mfa";
const essential = (acr: object): string => JSON.stringify({ id_token: { acr: { essential: true, ...acr } } });

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "postgres", settings: { MFA_TRUSTED_BROWSER_DAYS: "30" } });
});
afterAll(() => world.close());

/** Signed in by the password alone, though there is a second factor: the browser is trusted. */
async function openOnPassword(alice: EnrolledPerson) {
  const browser = world.openBrowser();
  const asked = await signInAs(browser, alice, world.latchkey.issuer);
  await browser.submit(asked, asked.formWith("code"), { values: { code: alice.app.code(), trust: "1" } });
  const again = await browser.open((await world.apps.notesWeb.begin({ prompt: "login" })).url);
  await submitSignIn(browser, again, alice);
  return browser;
}

describe("an app that asks for a second factor", () => {
  test.each([
    ["acr_values", { acr_values: MFA }],
    ["an essential claim with a value", { claims: essential({ value: MFA }) }],
    ["an essential claim with values", { claims: essential({ values: [MFA, "phr"] }) }],
  ])("by %s gets it, only what is missing is asked, and auth_time stays [RFC 9470 5]", async (_, asks) => {
    const alice = await enrollPerson(world);
    const browser = await openOnPassword(alice);
    const { notesWeb } = world.apps;
    const silent = await notesWeb.begin({ prompt: "none" });
    const before = await notesWeb.complete(silent, (await browser.open(silent.url)).url);
    expect(before.claims["acr"]).toBe("urn:latchkey:acr:pwd");
    const request = await notesWeb.begin({ ...asks, max_age: "600" });
    const page = await browser.open(request.url);
    expect(page.heading).toBe("Enter your code");
    expect(page.text).toContain("Notes asks for one more proof");
    startTimeTravel().advanceSeconds(30);
    const { claims } = await notesWeb.complete(request, (await submitCode(browser, page, alice.app.code())).url);
    expect(claims).toMatchObject({ acr: MFA, amr: ["pwd", "otp", "mfa"], auth_time: before.claims.auth_time });
  });

  test("without a page gets unmet_authentication_requirements [RFC 9470 5]", async () => {
    const browser = await openOnPassword(await enrollPerson(world));
    const { url } = await browser.open((await world.apps.notesWeb.begin({ acr_values: MFA, prompt: "none" })).url);
    expect(url.searchParams.get("error")).toBe("unmet_authentication_requirements");
  });

  test("for a class that nobody knows gets the same, before anybody signs in", async () => {
    const { url } = await world.openBrowser().open((await world.apps.notesWeb.begin({ acr_values: "urn:x:gold" })).url);
    expect(url.searchParams.get("error")).toBe("unmet_authentication_requirements");
    expect(url.searchParams.get("iss")).toBe(world.latchkey.issuer);
  });

  test("a person without one enrolls it on the way, or says no and the app is told", async () => {
    const bob = await registerPerson(world);
    const browser = world.openBrowser();
    const request = await world.apps.notesWeb.begin({ acr_values: MFA });
    const page = await submitSignIn(browser, await browser.open(request.url), bob);
    expect(page.heading).toBe("Add an authenticator app");
    const enrolled = await enrollOnPage(browser, page);
    const { claims } = await world.apps.notesWeb.complete(request, enrolled.page.url);
    expect(claims).toMatchObject({ acr: MFA, amr: ["pwd", "otp", "mfa"] });

    const carol = await registerPerson(world);
    const other = world.openBrowser();
    const asked = await submitSignIn(
      other,
      await other.open((await world.apps.notesWeb.begin({ acr_values: MFA })).url),
      carol,
    );
    const decline = asked.forms.find(({ action }) => action.includes("/decline"));
    if (decline === undefined) throw new Error("nobody can say no");
    const { url } = await other.submit(asked, decline);
    expect(url.searchParams.get("error")).toBe("unmet_authentication_requirements");
  });

  test("gets the class that it named, though the session has more", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    const asked = await signInAs(browser, alice, world.latchkey.issuer);
    await submitCode(browser, asked, alice.app.code());
    const request = await world.apps.notesWeb.begin({ acr_values: "urn:latchkey:acr:pwd", prompt: "none" });
    const { claims } = await world.apps.notesWeb.complete(request, (await browser.open(request.url)).url);
    expect(claims["acr"]).toBe("urn:latchkey:acr:pwd");
    expect(claims["amr"]).toContain("mfa");
  });

  test("whose sign-in is too old asks for all of it, and auth_time moves [OIDC Core 3.1.2.1]", async () => {
    const alice = await enrollPerson(world);
    const browser = await openOnPassword(alice);
    startTimeTravel().advanceSeconds(700);
    const request = await world.apps.notesWeb.begin({ acr_values: MFA, max_age: "600" });
    const page = await submitSignIn(browser, await browser.open(request.url), alice);
    const { claims } = await world.apps.notesWeb.complete(
      request,
      (await submitCode(browser, page, alice.app.code())).url,
    );
    expect(Math.abs((claims.auth_time ?? 0) - Date.now() / 1000)).toBeLessThan(20);
  });
});

test("a session that is stepped up has a new cookie, and the old one is dead [ASVS 7.2.4]", async () => {
  const alice = await enrollPerson(world);
  const browser = await openOnPassword(alice);
  const before = browser.jar.headerFor(new URL(world.latchkey.issuer));
  const page = await browser.open((await world.apps.notesWeb.begin({ acr_values: MFA })).url);
  await submitCode(browser, page, alice.app.code(1));
  const after = browser.jar.headerFor(new URL(world.latchkey.issuer));
  const cookieOf = (header: string): string | undefined => /lk_session=([^;]+)/.exec(header)?.[1];
  expect(cookieOf(after)).not.toBe(cookieOf(before));
  const answer = await fetch(`${world.latchkey.issuer}/account`, { headers: { cookie: before }, redirect: "manual" });
  expect(answer.headers.get("location")).toContain("/authorize");
});

test("what is no JSON in the claims parameter is invalid_request, and other claims in it bring nothing", async () => {
  const alice = await registerPerson(world);
  const browser = world.openBrowser();
  const broken = await browser.open((await world.apps.notesWeb.begin({ claims: "{" })).url);
  expect(broken.url.searchParams.get("error")).toBe("invalid_request");
  const claims = JSON.stringify({ id_token: { email: { essential: true } } });
  const tokens = await world.apps.notesWeb.signIn(browser, alice, { scope: "openid", claims });
  expect(tokens.claims).not.toHaveProperty("email");
});

test("acr and the claims parameter are in the metadata", () => {
  expect(world.server.acr_values_supported).toEqual(["urn:latchkey:acr:pwd", MFA, "phr"]);
  expect(world.server.claims_parameter_supported).toBe(true);
});

test("a session that is older than a quarter of an hour adds no factor by itself [ASVS 7.5.1]", async () => {
  const bob = await registerPerson(world);
  const browser = world.openBrowser();
  await signInAs(browser, bob, world.latchkey.issuer);
  startTimeTravel().advanceSeconds(15 * 60 + 1);
  const request = await world.apps.notesWeb.begin({ acr_values: MFA });
  const page = await browser.open(request.url);
  expect(page.heading).toBe("Sign in");
  const asked = await browser.open(page.url.href.replace("/sign-in", "/enroll-app"));
  expect(asked.heading).toBe("Sign in");
  const enroll = await submitSignIn(browser, asked, bob);
  expect(enroll.heading).toBe("Add an authenticator app");
  const { claims } = await world.apps.notesWeb.complete(request, (await enrollOnPage(browser, enroll)).page.url);
  expect(claims).toMatchObject({ acr: MFA, amr: ["pwd", "otp", "mfa"] });
  // All of it was proved anew.
  expect(Math.abs((claims.auth_time ?? 0) - Date.now() / 1000)).toBeLessThan(20);
});

describe("half a sign-in", () => {
  test("ends when the factors are reset, also with the whole of it proved", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    const asked = await submitSignIn(browser, await browser.open((await world.apps.notesWeb.begin()).url), alice);
    const page = await browser.click(asked, /^Use a recovery code$/);
    const used = await submitCode(browser, page, alice.recoveryCodes[0] ?? "");
    expect(used.heading).toBe("You’re in");
    await world.latchkey.factors.reset(alice.id);
    await world.latchkey.sessions.endAll(alice.id, "factors_reset");
    expect((await browser.submit(used, used.formWith("csrf"))).heading).toBe("Sign in");
    expect(await world.latchkey.sessions.list(alice.id)).toEqual([]);
  });

  test("ends when the account is disabled", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    const page = await submitSignIn(browser, await browser.open((await world.apps.notesWeb.begin()).url), alice);
    await world.latchkey.accounts.disable(alice.id);
    expect((await submitCode(browser, page, alice.app.code())).heading).toBe("Sign in");
  });
});
