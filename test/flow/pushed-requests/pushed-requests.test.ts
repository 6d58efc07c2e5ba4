import { afterAll, beforeAll, expect, test } from "vitest";
import { alice } from "../../support/cast.ts";
import { authorizeAs, decideConsent, signInAs, submitSignIn } from "../../support/journeys.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

test("a pushed request leads to tokens [RFC 9126]", async () => {
  const { bankWeb } = world.apps;
  const request = await bankWeb.beginPushed();
  expect(request.url.search).not.toContain("redirect_uri");
  const { url } = await authorizeAs(world.openBrowser(), alice, request.url);
  expect((await bankWeb.complete(request, url)).claims.sub).toBe(await world.accountIdOf(alice.email));
});

test("a confidential client pushes with its own authentication, and nobody else can in its name", async () => {
  const { deskKey } = world.apps;
  const request = await deskKey.beginPushed();
  const { url } = await authorizeAs(world.openBrowser(), alice, request.url);
  await expect(deskKey.complete(request, url)).resolves.toBeDefined();
  const impostor = world.appOf({ clientId: "deskKey", redirectUri: deskKey.redirectUri });
  await expect(impostor.beginPushed()).rejects.toMatchObject({ error: "invalid_client" });
});

test("a request_uri works once [RFC 9126 7.3]", async () => {
  const request = await world.apps.bankWeb.beginPushed();
  await authorizeAs(world.openBrowser(), alice, request.url);
  const again = await world.openBrowser().open(request.url);
  expect(again.url.searchParams.get("error")).toBe("invalid_request_uri");
});

test("a request_uri works once, also when the person did not allow it", async () => {
  const { shopWeb } = world.apps;
  const browser = world.openBrowser();
  const request = await shopWeb.beginPushed();
  const page = await submitSignIn(browser, await browser.open(request.url), alice);
  expect((await decideConsent(browser, page, "Don’t allow")).url.searchParams.get("error")).toBe("access_denied");
  expect((await browser.open(request.url)).url.searchParams.get("error")).toBe("invalid_request_uri");
});

test("the first page of a pushed request may be loaded again", async () => {
  const { bankWeb } = world.apps;
  const browser = world.openBrowser();
  const request = await bankWeb.beginPushed();
  await browser.open(request.url);
  const { url } = await authorizeAs(browser, alice, request.url);
  await expect(bankWeb.complete(request, url)).resolves.toBeDefined();
});

test("a request_uri works once, also after prompt=none", async () => {
  const browser = world.openBrowser();
  await signInAs(browser, alice, world.latchkey.issuer);
  const request = await world.apps.bankWeb.beginPushed({ prompt: "none" });
  const first = await browser.open(request.url);
  expect(first.url.searchParams.has("code")).toBe(true);
  const second = await browser.open(request.url);
  expect(second.url.searchParams.has("code")).toBe(false);
  const failing = await world.apps.bankWeb.beginPushed({ prompt: "none" });
  const stranger = world.openBrowser();
  expect((await stranger.open(failing.url)).url.searchParams.get("error")).toBe("login_required");
  const replayed = await browser.open(failing.url);
  expect(replayed.url.searchParams.has("code")).toBe(false);
});

test("a request_uri is another client's never [RFC 9126 2.2]", async () => {
  const { url } = await world.apps.bankWeb.beginPushed();
  url.searchParams.set("client_id", "notesWeb");
  const page = await world.openBrowser().open(url);
  expect(page.url.href).not.toContain("bank.example.com");
  expect(page.url.searchParams.get("error")).toBe("invalid_request_object");
});

test("a client that must push is refused a plain request, and the app is told [RFC 9126 5]", async () => {
  const { url } = await world.openBrowser().open((await world.apps.bankWeb.begin()).url);
  expect(url.origin).toBe("https://bank.example.com");
  expect(url.searchParams.get("error")).toBe("invalid_request");
});

test("a request_uri that was left lying for a minute is refused", async () => {
  const request = await world.apps.bankWeb.beginPushed();
  startTimeTravel().advanceSeconds(120);
  const { url } = await world.openBrowser().open(request.url);
  expect(url.searchParams.get("error")).toBe("invalid_request_uri");
});

test("the interaction of a pushed request that was lost starts again and ends in the app", async () => {
  const { bankWeb } = world.apps;
  const browser = world.openBrowser();
  const request = await bankWeb.beginPushed();
  const page = await browser.open(request.url);
  browser.jar.clear();
  const expired = await submitSignIn(browser, page, alice);
  expect(expired.status).toBe(400);
  const again = await browser.click(expired, /^Continue to Bank$/);
  const { url } = await submitSignIn(browser, again, alice);
  expect((await bankWeb.complete(request, url)).claims.sub).toBe(await world.accountIdOf(alice.email));
});
