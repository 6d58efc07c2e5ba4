import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FactorPolicy } from "../../src/config/index.ts";
import { INTERACTION_ROUTES } from "../../src/interaction/index.ts";
import { isAtApp, keyOptionsOf, submitKey } from "../flow/mfa/passkeys.ts";
import { enrollPerson, registerPerson, submitCode } from "../flow/mfa/people.ts";
import { addPolicyApps } from "../flow/mfa/policies.ts";
import { addWalker, openBrowser, type Walker } from "../flow/no-way-around/people.ts";
import { stepOf } from "../flow/no-way-around/walk.ts";
import type { Browser, Page } from "../support/browser.ts";
import { submitSignIn } from "../support/journeys.ts";
import { errorOf, type RelyingParty } from "../support/relying-party.ts";
import { createSoftwareAuthenticator } from "../support/software-authenticator.ts";
import { startTimeTravel } from "../support/time-travel.ts";
import { createWorld, type World } from "../support/world.ts";

const MFA = "urn:latchkey:acr:mfa";
const HOUR_SECONDS = 3_600;

let world: World;
let apps: Readonly<Record<FactorPolicy, RelyingParty>>;
beforeAll(async () => {
  world = await createWorld({ stores: "redis", settings: { TRUSTED_PROXIES: "1", MFA_TRUSTED_BROWSER_DAYS: "30" } });
  apps = await addPolicyApps(world);
});
afterAll(() => world.close());

interface Half {
  readonly browser: Browser;
  readonly page: Page;
}

type Credentials = Pick<Walker, "email" | "password">;

/** The password is proved, and more is needed. */
async function begin(person: Credentials, app = apps.required): Promise<Half> {
  const browser = openBrowser(world);
  const page = await browser.open((await app.begin()).url);
  return { browser, page: await submitSignIn(browser, page, person) };
}

/** The page for the password, or for a passkey in its place. */
async function openSignIn(): Promise<Half> {
  const browser = openBrowser(world);
  return { browser, page: await browser.open((await apps.required.begin()).url) };
}

function at({ url }: Page, step: string): URL {
  return new URL(`/interaction/${url.pathname.split("/")[2] ?? ""}/${step}${url.search}`, url);
}

function csrfOf({ forms }: Page): string {
  return forms.map(({ fields }) => fields.get("csrf")).find((csrf) => csrf !== undefined) ?? "";
}

function post({ browser, page }: Half, step: string, fields: Readonly<Record<string, string>> | URLSearchParams) {
  const body = new URLSearchParams(fields);
  return browser.fetch(at(page, step), { method: "POST", body, headers: { origin: page.url.origin } });
}

const FORMS = INTERACTION_ROUTES.filter((route) => route.startsWith("POST ")).map((route) => route.split("/").at(-1));

describe.each(FORMS)("the form %s", (step = "") => {
  test("is read once, from a page of this interaction, in this browser [ASVS 3.5.1]", async () => {
    const half = await begin(await enrollPerson(world));
    const foreign = csrfOf((await begin(await enrollPerson(world))).page);
    for (const csrf of ["", "AAAA", foreign]) expect((await post(half, step, { csrf })).status).toBe(403);
    expect((await post(half, step, {})).status).toBe(403);
    const csrf = csrfOf(half.page);
    const twice = new URLSearchParams([...Object.entries({ csrf, code: "1" }), ["code", "2"]]);
    expect((await post(half, step, twice)).status).toBe(400);
    // The cookie of another interaction, and none.
    const [stranger, other] = [openBrowser(world), await openSignIn()];
    expect((await post({ browser: stranger, page: half.page }, step, { csrf })).status).toBe(400);
    const cookie = `lk_interaction=${other.page.url.pathname.split("/")[2] ?? ""}`;
    const answer = await fetch(at(half.page, step), {
      method: "POST",
      body: new URLSearchParams({ csrf }),
      headers: { cookie, origin: half.page.url.origin },
    });
    expect(answer.status).toBe(400);
  });
});

describe("a code", () => {
  test("of one account is none of another", async () => {
    const [alice, bob] = [await enrollPerson(world), await enrollPerson(world)];
    const half = await begin(bob);
    expect((await submitCode(half.browser, half.page, alice.app.code())).status).toBe(400);
    const recovery = await half.browser.open(at(half.page, "recovery-code"));
    expect((await submitCode(half.browser, recovery, alice.recoveryCodes[0] ?? "")).status).toBe(400);
    // Nor are they used up by that.
    const hers = await begin(alice);
    expect(isAtApp(await submitCode(hers.browser, hers.page, alice.app.code()))).toBe(true);
  });

  test("is the same one in the digits of any script [ASVS 6.5.1]", async () => {
    const alice = await enrollPerson(world);
    const code = alice.app.code();
    const written = (zero: number): string =>
      code.replaceAll(/\d/g, (digit) => String.fromCodePoint(zero + Number(digit)));
    const half = await begin(alice);
    expect(isAtApp(await submitCode(half.browser, half.page, written(0xff10)))).toBe(true);
    for (const spelling of [code, written(0x0660), ` ${code.slice(0, 3)}-${code.slice(3)} `]) {
      const again = await begin(alice);
      expect((await submitCode(again.browser, again.page, spelling)).status).toBe(400);
    }
  });

  test.each([
    ["a code of 60 KB", "9".repeat(60_000)],
    ["a code with NUL bytes", "123\u0000456"],
    ["a code of markup", "<script>alert(1)</script>"],
  ])("%s is a wrong code, and is not shown again", async (_, code) => {
    const half = await begin(await enrollPerson(world));
    const answer = await submitCode(half.browser, half.page, code);
    expect(answer.status).toBe(400);
    expect(answer.html).not.toContain(code);
  });
});

describe("what a passkey says", () => {
  test("is of use in the sign-in that it was asked in, and once", async () => {
    const alice = await addWalker(world, "key");
    const [first, second] = [await openSignIn(), await openSignIn()];
    const response = alice.key.get(keyOptionsOf(first.page, "autofill"));
    const elsewhere = await submitKey(second.browser, second.page, response);
    expect(elsewhere.status).toBe(400);
    expect(isAtApp(await submitKey(first.browser, first.page, response))).toBe(true);
    expect((await submitKey(first.browser, first.page, response)).heading).toBe("This sign-in has expired");
  });

  test("at the making of one is no use of it, and the other way round", async () => {
    const [alice, bob] = [await addWalker(world, "key"), await registerPerson(world)];
    const his = await begin(bob);
    const making = await his.browser.open(at(his.page, "enroll-passkey"));
    const { challenge } = keyOptionsOf(making, "create") as { challenge: string };
    const using = await openSignIn();
    const options = keyOptionsOf(using.page, "autofill");
    expect((await submitKey(using.browser, using.page, alice.key.get(options, { challenge }))).status).toBe(400);
    const { challenge: used } = options as { challenge: string };
    const response = createSoftwareAuthenticator({ origin: world.latchkey.issuer }).create(
      keyOptionsOf(making, "create"),
      { challenge: used },
    );
    expect((await submitKey(his.browser, making, response, { name: "Key" })).status).toBe(400);
    expect((await world.latchkey.factors.overview(bob.id)).passkeys).toEqual([]);
  });

  test("is nothing where it is somebody else's, or says that it is", async () => {
    const [alice, bob] = [await addWalker(world, "key"), await addWalker(world, "key")];
    const half = await begin(alice);
    const foreign = bob.key.get(keyOptionsOf(half.page, "use"));
    expect((await submitKey(half.browser, half.page, foreign)).status).toBe(400);
    const signIn = await openSignIn();
    const userHandle = Buffer.from(await world.accountIdOf(bob.email)).toString("base64url");
    const named = alice.key.get(keyOptionsOf(signIn.page, "autofill"), { userHandle });
    expect((await submitKey(signIn.browser, signIn.page, named)).status).toBe(400);
  });

  test.each([
    ["of another origin", { origin: "https://id.example.net" }],
    ["for another host", { rpId: "example.net" }],
    ["without its user's verification", { isVerified: false }],
    ["of a made-up challenge", { challenge: "AAAA" }],
  ])("is nothing %s [WebAuthn 7.2]", async (_, deviations) => {
    const alice = await addWalker(world, "key");
    const { browser, page } = await openSignIn();
    const response = alice.key.get(keyOptionsOf(page, "autofill"), deviations);
    expect((await submitKey(browser, page, response)).status).toBe(400);
  });

  test("is not read beyond 16 KiB, nor after an hour", async () => {
    const alice = await addWalker(world, "key");
    const { browser, page } = await openSignIn();
    const response = alice.key.get(keyOptionsOf(page, "autofill"));
    expect((await submitKey(browser, page, response + " ".repeat(16 * 1024))).status).toBe(400);
    startTimeTravel().advanceSeconds(HOUR_SECONDS + 1);
    expect((await submitKey(browser, page, response)).heading).toBe("This sign-in has expired");
  });
});

describe("whoever knows the password alone", () => {
  test("adds no factor to those that are there", async () => {
    const alice = await enrollPerson(world);
    const half = await begin(alice);
    const before = await world.latchkey.factors.overview(alice.id);
    const csrf = csrfOf(half.page);
    for (const step of ["enroll-app", "enroll-passkey", "recovery-codes"]) {
      const sent = { csrf, code: alice.app.code(), name: "Mine", response: "{}", saved: "1" };
      expect((await post(half, step, sent)).headers.get("location")).toContain("/second-factor");
    }
    expect(await world.latchkey.factors.overview(alice.id)).toEqual(before);
  });

  test("does not see recovery codes that nobody has saved yet", async () => {
    const alice = await enrollPerson(world);
    await world.latchkey.factors.recoveryCodes.replace(alice.id, { address: "198.51.100.9" });
    const { browser, page } = await begin(alice);
    const [code = ""] = (await world.latchkey.factors.recoveryCodes.reveal(alice.id)) ?? [];
    for (const step of ["recovery-codes", "recovery-codes.txt", "recovery-codes.txt?print=1"]) {
      const shown = await browser.open(at(page, step));
      expect(stepOf(shown)).toBe("second-factor");
      expect(shown.html).not.toContain(code);
    }
  });

  test("declines for nobody: without a proof the app is told nothing", async () => {
    const half = await openSignIn();
    const answer = await post(half, "decline", { csrf: csrfOf(half.page) });
    expect(answer.headers.get("location")).toContain(half.page.url.pathname);
  });

  test("is not told before the password is right whether there is a second factor [ASVS 6.3.8]", async () => {
    const answerTo = async (email: string): Promise<{ readonly status: number; readonly html: string }> => {
      const { browser, page } = await openSignIn();
      const { status, html } = await submitSignIn(browser, page, { email, password: "not the password" });
      const shown = html
        .replaceAll(email, "EMAIL")
        .replaceAll(/(\/interaction\/|\?r=|name="csrf" value=")[\w-]+/g, "$1")
        .replaceAll(/challenge[^,]+,/g, "");
      return { status, html: shown };
    };
    const without = await answerTo((await registerPerson(world)).email);
    expect(await answerTo((await enrollPerson(world)).email)).toEqual(without);
    expect(await answerTo((await addWalker(world, "key")).email)).toEqual(without);
  });
});

describe("a trusted browser", () => {
  const cookieOf = ({ jar }: Browser) => jar.list().find(({ name }) => name === "lk_browser")?.value ?? "";

  test.each(["required", "off"] as const)("is made by no form where the policy is %s", async (policy) => {
    const alice = await enrollPerson(world);
    const browser = openBrowser(world);
    const page = await browser.open((await apps[policy].begin({ acr_values: MFA })).url);
    const asked = await submitSignIn(browser, page, alice);
    await browser.submit(asked, asked.formWith("code"), { values: { code: alice.app.code(), trust: "1" } });
    const again = await browser.open((await apps.optional.begin({ prompt: "login" })).url);
    expect(stepOf(await submitSignIn(browser, again, alice))).toBe("second-factor");
  });

  test("is not one by a cookie that somebody else planted", async () => {
    const [alice, mallory] = [await enrollPerson(world), await enrollPerson(world)];
    const hers = await begin(mallory, apps.optional);
    const values = { code: mallory.app.code(), trust: "1" };
    await hers.browser.submit(hers.page, hers.page.formWith("code"), { values });
    const planted = cookieOf(hers.browser);
    const browser = openBrowser(world);
    browser.jar.keep(new URL(world.latchkey.issuer), new Headers({ "set-cookie": `lk_browser=${planted}; Path=/` }));
    const page = await browser.open((await apps.optional.begin()).url);
    const asked = await submitSignIn(browser, page, alice);
    expect(stepOf(asked)).toBe("second-factor");
    await browser.submit(asked, asked.formWith("code"), { values: { code: alice.app.code(), trust: "1" } });
    expect(cookieOf(browser)).not.toBe(planted);
    // What the planter knows is of no use with her password.
    const thief = openBrowser(world);
    thief.jar.keep(new URL(world.latchkey.issuer), new Headers({ "set-cookie": `lk_browser=${planted}; Path=/` }));
    const stolen = await submitSignIn(thief, await thief.open((await apps.optional.begin()).url), alice);
    expect(stepOf(stolen)).toBe("second-factor");
  });
});

describe("asking for less than the policy", () => {
  const strange = JSON.stringify({ id_token: { acr: { essential: true, values: MFA } } });

  test.each([
    ["a claim in a strange shape", { claims: strange }, "invalid_request"],
    ["a class that nobody knows", { acr_values: "0" }, "unmet_authentication_requirements"],
  ])("by %s is refused, pushed or not", async (_, asks, error) => {
    const { url } = await openBrowser(world).open((await apps.required.begin(asks)).url);
    expect(url.searchParams.get("error")).toBe(error);
    expect(await errorOf(apps.required.beginPushed(asks))).toBe(error);
  });

  test("by the same parameter twice is refused", async () => {
    const request = await apps.off.begin({ acr_values: MFA });
    request.url.searchParams.append("acr_values", "urn:latchkey:acr:pwd");
    expect((await openBrowser(world).open(request.url)).url.searchParams.get("error")).toBe("invalid_request");
  });

  test("beside a pushed request changes nothing", async () => {
    const { url } = await apps.off.beginPushed({ acr_values: MFA });
    url.searchParams.set("acr_values", "urn:latchkey:acr:pwd");
    const browser = openBrowser(world);
    const asked = await submitSignIn(browser, await browser.open(url), await enrollPerson(world));
    expect(stepOf(asked)).toBe("second-factor");
  });
});

test("a step-up is over when somebody else has signed in meanwhile", async () => {
  const [alice, bob] = [await enrollPerson(world), await registerPerson(world)];
  const browser = openBrowser(world);
  await apps.off.signIn(browser, alice);
  const page = await browser.open((await apps.off.begin({ acr_values: MFA })).url);
  expect(stepOf(page)).toBe("second-factor");
  await apps.off.signIn(browser, bob, { prompt: "login" });
  expect((await submitCode(browser, page, alice.app.code())).heading).toBe("This sign-in has expired");
  const [session] = await world.latchkey.sessions.list(bob.id);
  expect(session?.amr).toEqual(["pwd"]);
  expect(await world.latchkey.sessions.list(alice.id)).toEqual([]);
});
