import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signInAs, submitSignIn } from "../../support/journeys.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { createWorld, type World } from "../../support/world.ts";
import { enrollPerson, registerPerson, submitCode } from "./people.ts";

const PAUSE_SECONDS = 15 * 60;

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis", settings: { MFA_TRUSTED_BROWSER_DAYS: "30" } });
});
afterAll(() => world.close());

const wrongText = "That code has expired";

describe("whoever has a second factor", () => {
  test("is asked for it, and tokens say so [RFC 8176 2]", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    const request = await world.apps.notesWeb.begin();
    const page = await submitSignIn(browser, await browser.open(request.url), alice);
    expect(page.heading).toBe("Enter your code");
    const { url } = await submitCode(browser, page, alice.app.code());
    const { claims } = await world.apps.notesWeb.complete(request, url);
    expect(claims).toMatchObject({ acr: "urn:latchkey:acr:mfa", amr: ["pwd", "otp", "mfa"] });
  });

  test("has no session, cookie or code on the password alone", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    const request = await world.apps.notesWeb.begin();
    const page = await submitSignIn(browser, await browser.open(request.url), alice);
    const uid = page.url.pathname.split("/")[2] ?? "";
    expect(await world.latchkey.sessions.list(alice.id)).toEqual([]);
    expect(browser.jar.headerFor(new URL(world.latchkey.issuer))).not.toMatch(/lk_session|lk_browser/);
    const resumed = await browser.open(`${world.latchkey.issuer}/authorize/${uid}`);
    expect(resumed.url.searchParams.has("code")).toBe(false);
    expect(resumed.heading).toBe("Sign in");
    expect((await browser.open(`${world.latchkey.issuer}/account`)).heading).toBe("Sign in");
    expect(await world.latchkey.sessions.list(alice.id)).toEqual([]);
  });

  test("cannot finish elsewhere what was begun here: another browser is asked to begin again", async () => {
    const alice = await enrollPerson(world);
    const here = world.openBrowser();
    const page = await submitSignIn(here, await here.open((await world.apps.notesWeb.begin()).url), alice);
    const elsewhere = await submitCode(world.openBrowser(), page, alice.app.code());
    expect(elsewhere.heading).toBe("This sign-in has expired");
  });

  test("who guessed wrong is told so and may try again; a code works once [ASVS 6.5.1]", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    const page = await submitSignIn(browser, await browser.open((await world.apps.notesWeb.begin()).url), alice);
    const wrong = await submitCode(browser, page, alice.app.wrongCode());
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain(wrongText);
    expect(wrong.html).toContain("<title>Error: ");
    const code = alice.app.code();
    expect(
      (await submitCode(browser, wrong, ` ${code.slice(0, 3)} ${code.slice(3)} `)).url.searchParams.has("code"),
    ).toBe(true);
    const other = world.openBrowser();
    const second = await submitSignIn(other, await other.open((await world.apps.notesWeb.begin()).url), alice);
    expect((await submitCode(other, second, code)).text).toContain(wrongText);
  });

  test("a button that is pressed twice leads to the app both times", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    const request = await world.apps.notesWeb.begin();
    const page = await submitSignIn(browser, await browser.open(request.url), alice);
    const code = alice.app.code();
    const form = page.formWith("code");
    const body = new URLSearchParams([...new Map([...form.fields, ["code", code]])]);
    const target = new URL(form.action, page.url);
    const press = () => browser.fetch(target, { method: "POST", body, headers: { origin: page.url.origin } });
    const answers = await Promise.all([press(), press()]);
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
  });

  test("20 wrong codes from 20 browsers are stopped, the right one after them, and not for good", async () => {
    const alice = await enrollPerson(world);
    const guesses: string[] = [];
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const browser = world.openBrowser({ "x-forwarded-for": `203.0.113.${attempt}` });
      const page = await submitSignIn(browser, await browser.open((await world.apps.notesWeb.begin()).url), alice);
      guesses.push(
        (await submitCode(browser, page, alice.app.wrongCode())).text.includes(wrongText) ? "looked at" : "stopped",
      );
    }
    expect(guesses.filter((guess) => guess === "looked at")).toHaveLength(5);
    const browser = world.openBrowser();
    const page = await submitSignIn(browser, await browser.open((await world.apps.notesWeb.begin()).url), alice);
    const paused = await submitCode(browser, page, alice.app.code());
    expect(paused.status).toBe(429);
    expect(Number(paused.headers.get("retry-after"))).toBeGreaterThan(0);
    startTimeTravel().advanceSeconds(PAUSE_SECONDS + 1);
    const later = world.openBrowser();
    const again = await submitSignIn(later, await later.open((await world.apps.notesWeb.begin()).url), alice);
    expect((await submitCode(later, again, alice.app.code())).url.searchParams.has("code")).toBe(true);
  });

  test("strangers cannot lock the person out of a browser that they signed in from before [ASVS 6.3.1]", async () => {
    const alice = await enrollPerson(world);
    const known = world.openBrowser();
    await submitCode(known, await signInAs(known, alice, world.latchkey.issuer), alice.app.code());
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const stranger = world.openBrowser();
      await submitCode(stranger, await signInAs(stranger, alice, world.latchkey.issuer), alice.app.wrongCode());
    }
    startTimeTravel().advanceSeconds(60);
    const page = await known.open((await world.apps.notesWeb.begin({ prompt: "login" })).url);
    const asked = await submitSignIn(known, page, alice);
    expect((await submitCode(known, asked, alice.app.code())).url.searchParams.has("code")).toBe(true);
  });

  test("a chain that waits for ten minutes begins again with the password", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    const page = await submitSignIn(browser, await browser.open((await world.apps.notesWeb.begin()).url), alice);
    startTimeTravel().advanceSeconds(10 * 60 + 1);
    expect((await submitCode(browser, page, alice.app.code())).heading).toBe("Sign in");
  });
});

describe("a recovery code", () => {
  test("stands in for the app, says how many are left, and works once [ASVS 6.5.2]", async () => {
    const alice = await enrollPerson(world);
    const [code = ""] = alice.recoveryCodes;
    const browser = world.openBrowser();
    const request = await world.apps.notesWeb.begin();
    const asked = await submitSignIn(browser, await browser.open(request.url), alice);
    const page = await browser.click(asked, /^Use a recovery code$/);
    const used = await submitCode(browser, page, code.toUpperCase().replace("-", " "));
    expect(used.text).toContain("You have 9 recovery codes left");
    const { url } = await browser.submit(used, used.formWith("csrf"));
    const { claims } = await world.apps.notesWeb.complete(request, url);
    expect(claims).toMatchObject({ acr: "urn:latchkey:acr:mfa", amr: ["pwd", "otp", "mfa"] });
    const other = world.openBrowser();
    const second = await submitSignIn(other, await other.open((await world.apps.notesWeb.begin()).url), alice);
    const refused = await submitCode(other, await other.click(second, /^Use a recovery code$/), code);
    expect(refused.text).toContain("That isn’t one of your unused codes");
  });
});

describe("a browser that is not to be asked again", () => {
  test("is not, until an app asks or the days are over; its tokens claim no second factor", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    const asked = await signInAs(browser, alice, world.latchkey.issuer);
    await browser.submit(asked, asked.formWith("code"), { values: { code: alice.app.code(), trust: "1" } });
    const travel = startTimeTravel();
    travel.advanceSeconds(60);
    await world.apps.notesWeb.signIn(browser, alice, { prompt: "login" });
    const { claims } = await world.apps.notesWeb.signIn(browser, alice, { prompt: "login" });
    expect(claims).toMatchObject({ acr: "urn:latchkey:acr:pwd", amr: ["pwd"] });
    const stepUp = await browser.open((await world.apps.notesWeb.begin({ acr_values: "urn:latchkey:acr:mfa" })).url);
    expect(stepUp.heading).toBe("Enter your code");
    travel.advanceSeconds(30 * 24 * 60 * 60);
    const later = await submitSignIn(browser, await browser.open((await world.apps.notesWeb.begin()).url), alice);
    expect(later.heading).toBe("Enter your code");
  });

  test("is of this person alone", async () => {
    const [alice, bob] = [await enrollPerson(world), await enrollPerson(world)];
    const browser = world.openBrowser();
    const asked = await signInAs(browser, alice, world.latchkey.issuer);
    await browser.submit(asked, asked.formWith("code"), { values: { code: alice.app.code(), trust: "1" } });
    const page = await browser.open((await world.apps.notesWeb.begin({ prompt: "login" })).url);
    expect((await submitSignIn(browser, page, bob)).heading).toBe("Enter your code");
  });
});

test("whoever has none is not asked where that is up to them", async () => {
  const bob = await registerPerson(world);
  const { claims } = await world.apps.notesWeb.signIn(world.openBrowser(), bob);
  expect(claims).toMatchObject({ acr: "urn:latchkey:acr:pwd", amr: ["pwd"] });
});
