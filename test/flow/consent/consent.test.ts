import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeJwt } from "jose";
import { alice, bob, mallory, type Person } from "../../support/cast.ts";
import { decideConsent, submitSignIn } from "../../support/journeys.ts";
import { errorOf } from "../../support/relying-party.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { createWorld, type World } from "../../support/world.ts";

const DAY_SECONDS = 24 * 60 * 60;
const CONSENT = "Let Shop use your account?";
let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "postgres" });
});
afterAll(() => world.close());

test("a third-party app is asked about once, remembered at the next sign-in, and asked about again only for more", async () => {
  const { shopWeb } = world.apps;
  const browser = world.openBrowser();
  const page = await submitSignIn(
    browser,
    await browser.open((await shopWeb.begin({ scope: "openid profile orders:read" })).url),
    mallory,
  );
  expect(page.heading).toBe(CONSENT);
  expect(page.text).toContain("See your orders");
  expect(page.text).not.toContain("Place orders");
  expect((await decideConsent(browser, page, "Allow")).url.searchParams.has("code")).toBe(true);

  const other = world.openBrowser();
  const remembered = await submitSignIn(
    other,
    await other.open((await shopWeb.begin({ scope: "openid profile orders:read" })).url),
    mallory,
  );
  expect(remembered.url.searchParams.has("code")).toBe(true);

  const more = await other.open((await shopWeb.begin({ scope: "openid profile orders:read orders:write" })).url);
  expect(more.heading).toBe(CONSENT);
  expect(more.text).toContain("Place orders for you");
  expect(more.text).not.toContain("See your orders");
});

test("what one person allowed says nothing about another", async () => {
  const { shopWeb } = world.apps;
  await shopWeb.signIn(world.openBrowser(), alice, { scope: "openid" });
  const browser = world.openBrowser();
  const page = await submitSignIn(browser, await browser.open((await shopWeb.begin({ scope: "openid" })).url), bob);
  expect(page.heading).toBe(CONSENT);
});

test("not allowing sends the app access_denied, its state and the issuer [RFC 6749 4.1.2.1]", async () => {
  const { shopWeb } = world.apps;
  const browser = world.openBrowser();
  const request = await shopWeb.begin({ scope: "openid orders:write", prompt: "consent" });
  const page = await submitSignIn(browser, await browser.open(request.url), bob);
  const { url } = await decideConsent(browser, page, "Don’t allow");
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    error: "access_denied",
    state: request.state,
    iss: world.latchkey.issuer,
  });
  expect(await errorOf(shopWeb.redeem(request, url))).toBe("access_denied");
});

describe("a consent page that waited while what had been allowed was withdrawn in another tab", () => {
  const carol: Person = { email: "carol@example.com", name: "Carol Clark", password: "marble-thicket-violin-8" };
  beforeAll(async () => {
    await world.latchkey.accounts.register(carol, "operator");
  });
  const withdraw = async () => world.latchkey.sessions.withdrawConsent(await world.accountIdOf(carol.email), "shopWeb");

  test("is a decision of its own: pressing Allow leads to the app, and is remembered", async () => {
    const { shopWeb } = world.apps;
    const browser = world.openBrowser();
    const tokens = await shopWeb.signIn(browser, carol, { scope: "openid orders:read" });
    const request = await shopWeb.begin({ scope: "openid orders:read", prompt: "consent" });
    const page = await browser.open(request.url);
    expect(page.text).toContain("See your orders");
    await withdraw();
    const { scope } = await shopWeb.complete(request, (await decideConsent(browser, page, "Allow")).url);
    expect(scope).toBe("orders:read");
    expect(await errorOf(shopWeb.refresh(tokens.refreshToken))).toBe("invalid_grant");
    const [given] = await world.latchkey.audit.list({ type: "consent_given", limit: 1 });
    expect(given?.data).toEqual({ scopes: ["openid", "https://orders.example.com orders:read"] });
    const again = await browser.open((await shopWeb.begin({ scope: "openid orders:read" })).url);
    expect(again.url.searchParams.has("code")).toBe(true);
  });

  test("allows no more than it showed: what was withdrawn is asked for on the next page", async () => {
    const { shopWeb } = world.apps;
    const browser = world.openBrowser();
    await shopWeb.signIn(browser, carol, { scope: "openid orders:read" });
    const request = await shopWeb.begin({ scope: "openid orders:read orders:write" });
    const page = await browser.open(request.url);
    expect(page.text).toContain("Place orders for you");
    expect(page.text).not.toContain("See your orders");
    await withdraw();
    const next = await decideConsent(browser, page, "Allow");
    expect(next.heading).toBe(CONSENT);
    expect(next.text).toContain("See your orders");
    const { scope } = await shopWeb.complete(request, (await decideConsent(browser, next, "Allow")).url);
    expect(scope?.split(" ").toSorted()).toEqual(["orders:read", "orders:write"]);
  });
});

test("offline_access with prompt=consent survives the sign-out, and ends after 90 days [ASVS 10.4.8]", async () => {
  const time = startTimeTravel();
  const { shopWeb } = world.apps;
  // Something was allowed before, so that a grant with the session's lifetime is there already.
  await shopWeb.signIn(world.openBrowser(), alice, { scope: "openid" });
  const browser = world.openBrowser();
  const { refreshToken } = await shopWeb.signIn(browser, alice, {
    scope: "openid offline_access",
    prompt: "consent",
  });
  await signOut(browser);
  let token = (await shopWeb.refresh(refreshToken)).refreshToken;
  for (let day = 0; day < 78; day += 13) {
    time.advanceSeconds(13 * DAY_SECONDS);
    token = (await shopWeb.refresh(token)).refreshToken;
  }
  time.advanceSeconds(12 * DAY_SECONDS);
  expect(await errorOf(shopWeb.refresh(token))).toBe("invalid_grant");
});

test("without offline_access the refresh token ends with the session", async () => {
  const { shopWeb } = world.apps;
  const browser = world.openBrowser();
  const tokens = await shopWeb.signIn(browser, alice, { scope: "openid orders:read" });
  expect(decodeJwt(tokens.accessToken)["scope"]).toBe("orders:read");
  await signOut(browser);
  expect(await errorOf(shopWeb.refresh(tokens.refreshToken))).toBe("invalid_grant");
});

test("offline_access without prompt=consent is left out [OIDC Core 11]", async () => {
  const { shopWeb } = world.apps;
  const { scope } = await shopWeb.signIn(world.openBrowser(), alice, { scope: "openid offline_access" });
  expect(scope?.split(" ") ?? []).not.toContain("offline_access");
});

async function signOut(browser: ReturnType<World["openBrowser"]>): Promise<void> {
  const page = await browser.open(`${world.latchkey.issuer}/account`);
  const [form] = page.forms;
  if (form === undefined) throw new Error(`no form at ${page.url.pathname}`);
  expect((await browser.submit(page, form)).heading).toBe("You’re signed out");
}
