import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "../../support/browser.ts";
import type { Person } from "../../support/cast.ts";
import { signInAs, submitSignIn } from "../../support/journeys.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { createWorld, type World } from "../../support/world.ts";
import { addAppOnPage, enrollPerson, registerPerson, submitCode } from "../mfa/people.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

const at = (path: string): string => `${world.latchkey.issuer}/account${path}`;

async function openAs(person: Person): Promise<Browser> {
  const browser = world.openBrowser();
  await signInAs(browser, person, world.latchkey.issuer);
  return browser;
}

/** The page with the link, followed. */
const follow = (browser: Browser, page: Page, label: RegExp): Promise<Page> => browser.open(page.linkTo(label));

describe("the page of sign-in methods", () => {
  test("adds an authenticator app, shows the recovery codes once, and from then on the app is asked for", async () => {
    const bob = await registerPerson(world);
    const browser = await openAs(bob);
    const page = await follow(browser, await browser.open(at("/methods")), /^Add an authenticator app$/);
    const before = browser.jar.headerFor(new URL(at("")));
    const { app, codes } = await addAppOnPage(browser, page);
    const old = await fetch(at(""), { headers: { cookie: before }, redirect: "manual" });
    expect(old.headers.get("location"), "the cookie from before is dead").toContain("/authorize");
    expect(codes.heading).toBe("Save your recovery codes");
    expect((await browser.submit(codes, codes.formWith("csrf"))).heading).toBe("Save your recovery codes");
    const form = codes.forms.find(({ action }) => action === "/account/recovery-codes");
    if (form === undefined) throw new Error("nobody can say that the codes are saved");
    const saved = await browser.submit(codes, form, { values: { saved: "1" } });
    expect(saved.text).toContain("Your recovery codes are in place");
    expect(saved.text).toContain("10 of 10 left");
    expect((await browser.open(at("/recovery-codes"))).heading).toBe("Sign-in methods");
    const [session] = await world.latchkey.sessions.list(bob.id);
    expect(session).toMatchObject({ acr: "urn:latchkey:acr:mfa", amr: ["pwd", "otp", "mfa"] });
    const other = world.openBrowser();
    const asked = await signInAs(other, bob, world.latchkey.issuer);
    expect(asked.heading).toBe("Enter your code");
    expect((await submitCode(other, asked, app.code(1))).heading).toContain("Hello");
  });

  test("asks for a fresh proof before anything is added, and comes back to where the person was [ASVS 7.5.1]", async () => {
    const bob = await registerPerson(world);
    const browser = await openAs(bob);
    startTimeTravel().advanceSeconds(15 * 60 + 1);
    const asked = await browser.open(at("/methods/app"));
    expect(asked.heading).toBe("Sign in");
    expect((await submitSignIn(browser, asked, bob)).heading).toBe("Add an authenticator app");
  });

  test("asks who has a factor for it before one is removed: a stolen session takes none away [ASVS 7.5.1]", async () => {
    const alice = await enrollPerson(world);
    const { totpDevices } = await world.latchkey.factors.overview(alice.id);
    const browser = world.openBrowser();
    await submitCode(browser, await signInAs(browser, alice, world.latchkey.issuer), alice.app.code());
    startTimeTravel().advanceSeconds(15 * 60 + 1);
    const page = await browser.open(at("/methods"));
    const asked = await follow(browser, page, /^Remove Phone$/);
    expect(asked.heading).toBe("Sign in");
    const code = await submitSignIn(browser, asked, alice);
    expect(code.heading).toBe("Enter your code");
    expect(await submitCode(browser, code, alice.app.code())).toMatchObject({ heading: "Sign-in methods" });
    expect((await world.latchkey.factors.overview(alice.id)).totpDevices).toHaveLength(totpDevices.length);
  });

  test("removes the last one with its recovery codes, and says so before", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    await submitCode(browser, await signInAs(browser, alice, world.latchkey.issuer), alice.app.code());
    const confirm = await follow(browser, await browser.open(at("/methods")), /^Remove Phone$/);
    expect(confirm.text).toContain("your recovery codes stop working");
    const removed = await browser.submit(confirm, confirm.formWith("id"));
    expect(removed.text).toContain("Removed.");
    const overview = await world.latchkey.factors.overview(alice.id);
    expect(overview).toEqual({ totpDevices: [], passkeys: [], recoveryCodes: undefined });
    expect((await signInAs(world.openBrowser(), alice, world.latchkey.issuer)).heading).toContain("Hello");
  });

  test("gives a factor another name, and keeps what was typed when it is none", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    await submitCode(browser, await signInAs(browser, alice, world.latchkey.issuer), alice.app.code());
    const page = await follow(browser, await browser.open(at("/methods")), /^Rename Phone$/);
    const long = "x".repeat(61);
    const again = await browser.submit(page, page.formWith("name"), { values: { name: long } });
    expect(again).toMatchObject({ status: 400 });
    expect(again.formWith("name").fields.get("name")).toBe(long);
    const renamed = await browser.submit(again, again.formWith("name"), { values: { name: "<b>Tablet</b>" } });
    expect(renamed.text).toContain("<b>Tablet</b>");
  });

  test("makes new recovery codes, and the old ones are dead", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    await submitCode(browser, await signInAs(browser, alice, world.latchkey.issuer), alice.app.code());
    const page = await browser.open(at("/methods"));
    const form = page.forms.find(({ action }) => action === "/account/recovery-codes/new");
    if (form === undefined) throw new Error(`there are no new codes to be had: ${page.text}`);
    expect((await browser.submit(page, form)).heading).toBe("Save your recovery codes");
    const other = world.openBrowser();
    const asked = await signInAs(other, alice, world.latchkey.issuer);
    const refused = await submitCode(
      other,
      await other.click(asked, /^Use a recovery code$/),
      alice.recoveryCodes[0] ?? "",
    );
    expect(refused.status).toBe(400);
  });

  test("never touches what is somebody else's", async () => {
    const [alice, bob] = [await enrollPerson(world), await enrollPerson(world)];
    const [device] = (await world.latchkey.factors.overview(bob.id)).totpDevices;
    const browser = world.openBrowser();
    await submitCode(browser, await signInAs(browser, alice, world.latchkey.issuer), alice.app.code());
    const page = await browser.open(at("/methods/remove?id=x"));
    expect(page.heading).toBe("Sign-in methods");
    const confirm = await follow(browser, page, /^Remove Phone$/);
    const form = confirm.formWith("id");
    await browser.submit(confirm, form, { values: { id: device?.id ?? "" } });
    expect((await world.latchkey.factors.overview(bob.id)).totpDevices).toHaveLength(1);
  });

  test("takes no form of another site [ASVS 3.5.1]", async () => {
    const browser = await openAs(await registerPerson(world));
    const body = new URLSearchParams({ csrf: "wrong", code: "123456", name: "Phone" });
    const answer = await browser.fetch(at("/methods/app"), { method: "POST", body });
    expect(answer.status).toBe(403);
  });
});

test("where second factors are off the page offers none", async () => {
  const off = await createWorld({ stores: "postgres", settings: { MFA_POLICY: "off" } });
  try {
    const bob = await registerPerson(off);
    const browser = off.openBrowser();
    await signInAs(browser, bob, off.latchkey.issuer);
    const page = await browser.open(`${off.latchkey.issuer}/account/methods`);
    expect(page.text).not.toContain("Second step");
    expect((await browser.open(`${off.latchkey.issuer}/account/methods/app`)).heading).toBe("Sign-in methods");
    const { url } = await browser.open((await off.apps.notesWeb.begin({ acr_values: "urn:latchkey:acr:mfa" })).url);
    expect(url.searchParams.get("error")).toBe("unmet_authentication_requirements");
  } finally {
    await off.close();
  }
});

test("whoever had their factors reset is told, and has no session left from before", async () => {
  const alice = await enrollPerson(world);
  const browser = world.openBrowser();
  await submitCode(browser, await signInAs(browser, alice, world.latchkey.issuer), alice.app.code());
  await world.latchkey.factors.reset(alice.id);
  await world.latchkey.sessions.endAll(alice.id, "factors_reset");
  const asked = await browser.open(at(""));
  expect(asked.heading).toBe("Sign in");
  expect((await submitSignIn(browser, asked, alice)).text).toContain("were removed");
});

test("whoever used a recovery code is told on the account page", async () => {
  const alice = await enrollPerson(world);
  const browser = world.openBrowser();
  const asked = await signInAs(browser, alice, world.latchkey.issuer);
  const used = await submitCode(
    browser,
    await browser.click(asked, /^Use a recovery code$/),
    alice.recoveryCodes[0] ?? "",
  );
  const page = await browser.submit(used, used.formWith("csrf"));
  expect(page.text).toContain("A recovery code was used");
  expect(page.text).toContain("9 are left");
});
