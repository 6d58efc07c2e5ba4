import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { alice, bob, mallory } from "../../support/cast.ts";
import { authorizeAs } from "../../support/journeys.ts";
import { errorOf } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";

/**
 * An app that an operator changes under the hands of the people who use it. Each test has one of its own: for some seconds
 * after a client was removed, tokens of another of the same id are refused as well.
 */
let changing: ReturnType<typeof newApp>;
let appCount = 0;

function newApp() {
  appCount += 1;
  return {
    id: `changing${appCount}`,
    name: "Changing",
    redirectUris: ["https://notes.example.com/changing"],
    scopes: ["openid", "profile", "email"],
  } as const;
}

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());
beforeEach(() => {
  changing = newApp();
});

const app = () => world.appOf({ clientId: changing.id, redirectUri: changing.redirectUris[0] });

test("who gets the id of a client that was removed inherits nothing", async () => {
  await world.latchkey.clients.addClient(changing);
  const browser = world.openBrowser();
  const tokens = await app().signIn(browser, alice, { scope: "openid email" });
  await world.latchkey.clients.removeClient(changing.id);
  await laterThan(Date.now());
  await world.latchkey.clients.addClient({ ...changing, name: "Another owner" });
  const silent = await browser.open((await app().begin({ scope: "openid email", prompt: "none" })).url);
  expect(silent.url.searchParams.get("error")).toBe("consent_required");
  expect(await errorOf(app().refresh(tokens.refreshToken))).toBe("invalid_grant");
});

test("a scope that is taken from a client is gone from its tokens at the next refresh", async () => {
  await world.latchkey.clients.addClient({ ...changing, isFirstParty: true });
  const tokens = await app().signIn(world.openBrowser(), bob, { scope: "openid email" });
  expect(tokens.claims["email"] ?? (await app().userInfo(tokens.accessToken, tokens.claims.sub))["email"]).toBe(
    bob.email,
  );
  await world.latchkey.clients.changeClient(changing.id, { ...changing, isFirstParty: true, scopes: ["openid"] });
  const refreshed = await app().refresh(tokens.refreshToken);
  const info = await app().userInfo(refreshed.accessToken, tokens.claims.sub);
  expect(info).not.toHaveProperty("email");
});

test("an app that is no longer our own has to ask", async () => {
  await world.latchkey.clients.addClient({ ...changing, isFirstParty: true });
  const browser = world.openBrowser();
  await app().signIn(browser, mallory, { scope: "openid email" });
  await world.latchkey.clients.changeClient(changing.id, changing);
  const silent = await browser.open((await app().begin({ scope: "openid email", prompt: "none" })).url);
  expect(silent.url.searchParams.get("error")).toBe("consent_required");
});

test("a client without identity scopes is told nothing but who somebody is", async () => {
  await world.latchkey.clients.addClient({ ...changing, scopes: [], isFirstParty: true });
  const browser = world.openBrowser();
  const refused = await browser.open((await app().begin({ scope: "openid email" })).url);
  expect(refused.url.searchParams.get("error")).toBe("invalid_scope");
  const allowed = await authorizeAs(browser, alice, (await app().begin({ scope: "openid" })).url);
  expect(allowed.url.searchParams.has("code")).toBe(true);
});

/** Grants and clients are dated in whole seconds; waits for the next one by watching the clock. */
async function laterThan(thenMs: number): Promise<void> {
  while (Math.floor(Date.now() / 1000) <= Math.floor(thenMs / 1000))
    await new Promise((resolve) => setTimeout(resolve, 20));
}
