import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Page } from "../../support/browser.ts";
import { alice, bob, mallory } from "../../support/cast.ts";
import { signInAs, submitSignIn } from "../../support/journeys.ts";
import { startLatchkey } from "../../support/latchkey.ts";
import { errorOf } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

describe("the registration page", () => {
  const fill = async (values: Record<string, string>): Promise<Page> => {
    const browser = world.openBrowser();
    const page = await browser.open(`${world.latchkey.issuer}/create-account`);
    return await browser.submit(page, page.formWith("name"), { values });
  };
  const good = { name: "Nora North", email: "nora@example.com", password: "maple-thunder-cabin-31" };

  test("creates an account and leads to the account page, signed in", async () => {
    const page = await fill(good);
    expect(page.url.pathname).toBe("/account");
    expect(page.text).toContain("nora@example.com");
  });

  test.each([
    ["a taken address, in any spelling", { email: " ALICE@Example.com" }, 409, /exists already/],
    ["a short password", { password: "elevenchars" }, 400, /at least 12 characters/],
    ["a common password", { password: "password1234" }, 400, /Many people use/],
    [
      "a password made of the address",
      { email: "nora.north@example.com", password: "nora.north@example.com" },
      400,
      /own/,
    ],
    ["no name", { name: "  " }, 400, /Enter your name/],
    ["no address", { email: "nora" }, 400, /full email address/],
    ["no password", { password: "" }, 400, /Choose a password/],
  ])("refuses %s beside its field, and keeps the rest", async (_title, change, status, sentence) => {
    const typed = { ...good, email: "other@example.com", ...change };
    const page = await fill(typed);
    expect(page.status).toBe(status);
    expect(page.text).toMatch(sentence);
    const { fields } = page.formWith("name");
    expect(fields.get("email")?.trim()).toBe(typed.email.trim());
    expect(fields.get("password")).toBe("");
    expect(page.html).not.toContain(good.password);
  });

  test("is not there when registration is closed, nor is a way to it, nor an account to begin with [ASVS 6.3.2]", async () => {
    const closed = await startLatchkey({ stores: "postgres", settings: { REGISTRATION: "closed" } });
    try {
      expect(await closed.accounts.list({ limit: 10 })).toEqual([]);
      const browser = world.openBrowser();
      expect((await browser.open(`${closed.issuer}/create-account`)).status).toBe(404);
      const page = await browser.open(`${closed.issuer}/sign-in`);
      expect(page.html).not.toContain("create-account");
      const forced = page.url.pathname;
      expect((await browser.open(`${closed.issuer}${forced}/create-account${page.url.search}`)).status).toBe(404);
    } finally {
      await closed.close();
    }
  });
});

describe("the account page", () => {
  test("shows a person their own name and address", async () => {
    const page = await signInAs(world.openBrowser(), alice, world.latchkey.issuer);
    expect(page.url.pathname).toBe("/account");
    expect(page.text).toContain(alice.name);
    expect(page.text).not.toContain(bob.email);
  });

  test("sends everybody else to sign in", async () => {
    const page = await world.openBrowser().open(`${world.latchkey.issuer}/account`);
    expect(page.heading).toBe("Sign in");
    expect(page.url.pathname).toMatch(/^\/interaction\//);
  });

  test("signs out, and then shows nothing more", async () => {
    const browser = world.openBrowser();
    const page = await signInAs(browser, alice, world.latchkey.issuer);
    expect((await browser.submit(page, page.formWith("csrf"))).heading).toBe("You’re signed out");
    expect((await browser.open(`${world.latchkey.issuer}/account`)).heading).toBe("Sign in");
  });
});

describe("a disabled account", () => {
  test("is dead everywhere within a second [ASVS 7.4.2]", async () => {
    const { notesWeb } = world.apps;
    const browser = world.openBrowser();
    const tokens = await notesWeb.signIn(browser, mallory);
    const unused = await notesWeb.begin();
    const { url: callback } = await browser.open(unused.url);
    expect(callback.searchParams.has("code")).toBe(true);

    await world.latchkey.accounts.disable(tokens.claims.sub);
    const account = await browser.open(`${world.latchkey.issuer}/account`);
    expect(account.text).not.toContain(mallory.email);
    const silent = await browser.open((await notesWeb.begin({ prompt: "none" })).url);
    expect(silent.url.searchParams.get("error")).toBe("login_required");
    expect(await errorOf(notesWeb.refresh(tokens.refreshToken))).toBe("invalid_grant");
    expect(await errorOf(notesWeb.userInfo(tokens.accessToken, tokens.claims.sub))).toBe("invalid_token");
    expect(await errorOf(notesWeb.complete(unused, callback))).toBe("invalid_grant");

    const attempt = async (password: string): Promise<Page> => {
      const fresh = world.openBrowser();
      const page = await fresh.open(`${world.latchkey.issuer}/sign-in`);
      return await submitSignIn(fresh, page, { email: mallory.email, password });
    };
    const [right, wrong] = [await attempt(mallory.password), await attempt("not the password of mallory")];
    expect(right.status).toBe(wrong.status);
    expect(right.text).toBe(wrong.text);
    expect(right.text).toContain("That email and password don’t match");
  });
});
