import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice, bob } from "../../support/cast.ts";
import { signInAs, submitSignIn } from "../../support/journeys.ts";
import type { Stores } from "../../support/latchkey.ts";
import { errorOf } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";

const ROUNDS = 5;

describe.each<Stores>(["redis", "postgres"])("in one browser on %s", (stores) => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ stores });
  });
  afterAll(() => world.close());

  test("silent sign-ins of four apps at once lose nothing", async () => {
    const browser = world.openBrowser();
    await signInAs(browser, alice, world.latchkey.issuer);
    const { notesWeb, mailWeb, bankWeb, deskBasic } = world.apps;
    for (let round = 0; round < ROUNDS; round += 1) {
      const tokens = await Promise.all(
        [notesWeb, mailWeb, deskBasic].map(async (app) => {
          const request = await app.begin({ prompt: "none" });
          return await app.complete(request, (await browser.open(request.url)).url);
        }),
      );
      const pushed = await bankWeb.beginPushed({ prompt: "none" });
      await bankWeb.complete(pushed, (await browser.open(pushed.url)).url);
      await notesWeb.refresh(tokens[0]?.refreshToken ?? "");
      await mailWeb.refresh(tokens[1]?.refreshToken ?? "");
    }
    expect(await isSignedIn(browser)).toBe(true);
  });

  test("nothing survives a sign-out while four silent sign-ins run", async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const browser = world.openBrowser();
      await signInAs(browser, alice, world.latchkey.issuer);
      const account = await browser.open(`${world.latchkey.issuer}/account`);
      const stolen = browser.jar.copy();
      const apps = [world.apps.notesWeb, world.apps.mailWeb, world.apps.deskBasic, world.apps.deskPost];
      const requests = await Promise.all(apps.map((app) => app.begin({ prompt: "none" })));
      const verdicts: string[] = [];
      const [, ...pages] = await Promise.all([
        browser.submit(account, account.formWith("csrf")),
        ...requests.map((request) => browser.open(request.url)),
      ]);
      for (const [index, app] of apps.entries()) {
        const [request, page] = [requests[index], pages[index]];
        if (request === undefined || page?.url.searchParams.has("code") !== true) continue;
        const tokens = await app.complete(request, page.url).catch(() => undefined);
        const verdict = tokens === undefined ? "invalid_grant" : await errorOf(app.refresh(tokens.refreshToken));
        verdicts.push(verdict);
      }
      expect(verdicts).toEqual(verdicts.map(() => "invalid_grant"));
      const thief = world.openBrowser();
      for (const { name, value, path } of stolen.list()) {
        const line = `${name}=${value}; Path=${path}`;
        thief.jar.keep(new URL(world.latchkey.issuer), new Headers({ "set-cookie": line }));
      }
      expect(await isSignedIn(browser)).toBe(false);
      expect(await isSignedIn(thief)).toBe(false);
    }
  });

  test("another person who signs in in a second tab gets a session of their own, and ends the first one's", async () => {
    const { notesWeb } = world.apps;
    const browser = world.openBrowser();
    const alices = await notesWeb.signIn(browser, alice);
    const request = await notesWeb.begin({ prompt: "login" });
    const bobs = await notesWeb.complete(
      request,
      (await submitSignIn(browser, await browser.open(request.url), bob)).url,
    );
    expect(bobs.claims.sub).toBe(await world.accountIdOf(bob.email));
    expect(bobs.claims.sub).not.toBe(alices.claims.sub);
    expect((await browser.open(`${world.latchkey.issuer}/account`)).text).toContain(bob.email);
    expect(await errorOf(notesWeb.refresh(alices.refreshToken))).toBe("invalid_grant");
    expect(await errorOf(notesWeb.userInfo(alices.accessToken, alices.claims.sub))).toBe("invalid_token");
    await expect(notesWeb.refresh(bobs.refreshToken)).resolves.toBeDefined();
  });

  test("the session gets a new id at sign-in and at every re-authentication [ASVS 7.2.4]", async () => {
    const { notesWeb } = world.apps;
    const browser = world.openBrowser();
    const cookie = (): string | undefined => browser.jar.list().find(({ name }) => name === "lk_session")?.value;
    await browser.open((await notesWeb.begin()).url);
    const before = cookie();
    await notesWeb.signIn(browser, alice);
    const first = cookie();
    await notesWeb.signIn(browser, alice, { prompt: "login" });
    expect(new Set([before, first, cookie()]).size).toBe(3);
  });

  async function isSignedIn(browser: ReturnType<World["openBrowser"]>): Promise<boolean> {
    const { url } = await browser.open((await world.apps.notesWeb.begin({ prompt: "none" })).url);
    return url.searchParams.has("code");
  }
});
