import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Page } from "../../support/browser.ts";
import { alice, bob, mallory } from "../../support/cast.ts";
import { authorizeAs, decideConsent, signInAs, submitSignIn } from "../../support/journeys.ts";
import type { SentRequest } from "../../support/relying-party.ts";
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

describe("of several browsers that opened one request_uri, one gets a code [RFC 9126 7.3]", () => {
  const people = [alice, bob, mallory];

  /** Each of them is at the sign-in page. */
  async function openAll(request: SentRequest) {
    return await Promise.all(
      people.map(async (person) => {
        const browser = world.openBrowser();
        return { person, browser, page: await browser.open(request.url) };
      }),
    );
  }

  const answersOf = (pages: readonly Page[]) =>
    pages
      .map(({ url }) => (url.searchParams.has("code") ? "code" : url.searchParams.get("error")))
      .toSorted((left, right) => String(left).localeCompare(String(right)));

  test("also when all of them sign in at once", async () => {
    for (const app of [world.apps.bankWeb, world.apps.deskBasic]) {
      const opened = await openAll(await app.beginPushed());
      const ends = await Promise.all(opened.map(({ browser, page, person }) => submitSignIn(browser, page, person)));
      expect(answersOf(ends)).toEqual(["code", "invalid_request_uri", "invalid_request_uri"]);
    }
  });

  test("one after the other, and it is the first; whoever opens it later gets none either", async () => {
    const { bankWeb } = world.apps;
    const request = await bankWeb.beginPushed();
    const ends: Page[] = [];
    for (const { browser, page, person } of await openAll(request))
      ends.push(await submitSignIn(browser, page, person));
    expect(ends.map(({ url }) => url.searchParams.has("code"))).toEqual([true, false, false]);
    await expect(bankWeb.complete(request, ends[0]?.url ?? request.url)).resolves.toBeDefined();
    const late = await world.openBrowser().open(request.url);
    expect(late.url.searchParams.get("error")).toBe("invalid_request_uri");
  });

  test.each([90, 59 * 60])("also %d seconds after it was pushed", async (seconds) => {
    const opened = await openAll(await world.apps.bankWeb.beginPushed());
    startTimeTravel().advanceSeconds(seconds);
    const ends = await Promise.all(opened.map(({ browser, page, person }) => submitSignIn(browser, page, person)));
    expect(answersOf(ends)).toEqual(["code", "invalid_request_uri", "invalid_request_uri"]);
  });

  test.each([0, 90])("and none does once one of them did not allow it, %d seconds later", async (seconds) => {
    const { shopWeb } = world.apps;
    const [first, second] = await openAll(await shopWeb.beginPushed({ prompt: "consent" }));
    if (first === undefined || second === undefined) throw new Error("nobody opened it");
    startTimeTravel().advanceSeconds(seconds);
    const firstConsent = await submitSignIn(first.browser, first.page, first.person);
    const secondConsent = await submitSignIn(second.browser, second.page, second.person);
    const ends = [
      await decideConsent(first.browser, firstConsent, "Don’t allow"),
      await decideConsent(second.browser, secondConsent, "Allow"),
    ];
    expect(answersOf(ends)).toEqual(["access_denied", "invalid_request_uri"]);
  });
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

test("a request_uri works once, also when the answer is a form that posts itself", async () => {
  const request = await world.apps.bankWeb.beginPushed({ prompt: "none", response_mode: "form_post" });
  const refused = await world.openBrowser().open(request.url);
  expect(refused.forms[0]?.fields.get("error")).toBe("login_required");
  const browser = world.openBrowser();
  await signInAs(browser, alice, world.latchkey.issuer);
  expect((await browser.open(request.url)).url.searchParams.get("error")).toBe("invalid_request_uri");
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
