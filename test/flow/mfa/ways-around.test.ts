import { afterAll, beforeAll, expect, test } from "vitest";
import type { FactorPolicy } from "../../../src/config/index.ts";
import { AuthenticatorApp } from "../../support/authenticator-app.ts";
import { signInAs, submitSignIn } from "../../support/journeys.ts";
import type { RelyingParty } from "../../support/relying-party.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { createWorld, type World } from "../../support/world.ts";
import { addAppOnPage, enrollPerson, registerPerson, submitCode } from "./people.ts";
import { addPolicyApps } from "./policies.ts";

const MFA = "urn:latchkey:acr:mfa";

let world: World;
let apps: Readonly<Record<FactorPolicy, RelyingParty>>;
beforeAll(async () => {
  world = await createWorld({ stores: "postgres", settings: { MFA_TRUSTED_BROWSER_DAYS: "30" } });
  apps = await addPolicyApps(world);
});
afterAll(() => world.close());

test("an app that asks for the password alone brings nobody more than five tries at a code [ASVS 6.5.1]", async () => {
  const alice = await enrollPerson(world);
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 7; attempt += 1) {
    const browser = world.openBrowser();
    await apps.off.signIn(browser, alice);
    const page = await browser.open((await apps.off.begin({ acr_values: MFA })).url);
    statuses.push((await submitCode(browser, page, alice.app.wrongCode())).status);
  }
  expect(statuses).toEqual([400, 400, 400, 400, 400, 429, 429]);
});

test("an app that asks for the password alone is no way to one that asks who has a second factor", async () => {
  const alice = await enrollPerson(world);
  const browser = world.openBrowser();
  await apps.off.signIn(browser, alice);
  const silent = await browser.open((await apps.optional.begin({ prompt: "none" })).url);
  expect(silent.url.searchParams.get("error")).toBe("login_required");
  const request = await apps.optional.begin();
  const page = await browser.open(request.url);
  expect(page.heading).toBe("Enter your code");
  const { claims } = await apps.optional.complete(request, (await submitCode(browser, page, alice.app.code())).url);
  expect(claims).toMatchObject({ acr: MFA, amr: ["pwd", "otp", "mfa"] });
});

test("a max_age that passes while a step-up waits asks for the whole sign-in [OIDC Core 3.1.2.1]", async () => {
  const alice = await enrollPerson(world);
  const browser = world.openBrowser();
  await apps.off.signIn(browser, alice);
  const time = startTimeTravel();
  time.advanceSeconds(100);
  const request = await apps.off.begin({ acr_values: MFA, max_age: "120" });
  const page = await browser.open(request.url);
  expect(page.heading).toBe("Enter your code");
  time.advanceSeconds(60);
  const again = await submitCode(browser, page, alice.app.code());
  expect(again.heading).toBe("Sign in");
});

test("a session that has ended adds no factor at a page that waited", async () => {
  const bob = await registerPerson(world);
  const browser = world.openBrowser();
  await signInAs(browser, bob, world.latchkey.issuer);
  const page = await browser.open((await world.apps.notesWeb.begin({ acr_values: MFA })).url);
  expect(page.heading).toBe("Add an authenticator app");
  await world.latchkey.sessions.endAll(bob.id, "ended_by_person");
  expect((await addAppOnPage(browser, page)).codes.heading).toBe("This sign-in has expired");
  expect((await world.latchkey.factors.overview(bob.id)).totpDevices).toEqual([]);
});

test("the key of a new app is shown in one sign-in only: nobody waits for somebody else to confirm it", async () => {
  const bob = await registerPerson(world);
  const [theirs, his] = [world.openBrowser(), world.openBrowser()];
  const seen = await submitSignIn(theirs, await theirs.open((await apps.required.begin()).url), bob);
  const page = await submitSignIn(his, await his.open((await apps.required.begin()).url), bob);
  expect(AuthenticatorApp.fromPage(seen).code()).not.toBe(AuthenticatorApp.fromPage(page).code());
  expect((await addAppOnPage(his, page)).codes.heading).toBe("Save your recovery codes");
  // What they saw is of no use any more.
  expect((await addAppOnPage(theirs, seen)).codes.heading).toBe("Enter your code");
});

test("the account page is no way around the policy of the deployment", async () => {
  const strict = await createWorld({ stores: "postgres", settings: { MFA_POLICY: "required" } });
  try {
    const { off } = await addPolicyApps(strict);
    const alice = await enrollPerson(strict);
    const browser = strict.openBrowser();
    await off.signIn(browser, alice);
    const page = await browser.open(`${strict.latchkey.issuer}/account`);
    expect(page.heading).toBe("Enter your code");
    expect((await submitCode(browser, page, alice.app.code())).url.pathname).toBe("/account");
  } finally {
    await strict.close();
  }
});

test.each([
  ["a list that is none", { values: MFA }],
  ["a list of other things", { values: [MFA, 7] }],
  ["a value that is no text", { value: [MFA] }],
  ["something that is no request", MFA],
])("the claim acr with %s is invalid_request, and not overlooked", async (_, acr) => {
  const claims = JSON.stringify({ id_token: { acr } });
  const { url } = await world.openBrowser().open((await apps.off.begin({ claims })).url);
  expect(url.searchParams.get("error")).toBe("invalid_request");
});

test("a code from before a client required a second factor gets no tokens", async () => {
  const settings = { id: "laterWeb", name: "Later", isFirstParty: true, redirectUris: ["https://notes.example.com/l"] };
  await world.latchkey.clients.addClient(settings);
  const later = world.appOf({ clientId: settings.id, redirectUri: settings.redirectUris[0] ?? "" });
  const bob = await registerPerson(world);
  const browser = world.openBrowser();
  const request = await later.begin();
  const { url } = await submitSignIn(browser, await browser.open(request.url), bob);
  await world.latchkey.clients.applyDocument(
    { clients: [{ ...settings, mfa: "required" }] },
    { secretFiles: new Map(), mode: "apply" },
  );
  const answer = await later.redeem(request, url);
  expect(await answer.json()).toMatchObject({ error: "invalid_grant" });
});
