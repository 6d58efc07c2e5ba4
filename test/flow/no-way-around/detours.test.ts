import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "../../support/browser.ts";
import { submitSignIn } from "../../support/journeys.ts";
import type { RelyingParty, SentRequest } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";
import { isAtApp } from "../mfa/passkeys.ts";
import { submitCode } from "../mfa/people.ts";
import { addPolicyApps } from "../mfa/policies.ts";
import { addWalker, openBrowser } from "./people.ts";
import { follow, heldBy, stepOf, type Walk } from "./walk.ts";

let world: World;
let app: RelyingParty;
beforeAll(async () => {
  world = await createWorld({ stores: "redis", settings: { TRUSTED_PROXIES: "1" } });
  app = (await addPolicyApps(world)).required;
});
afterAll(() => world.close());

const MFA_CLAIMS = { acr: "urn:latchkey:acr:mfa", amr: ["pwd", "otp", "mfa"] };

/** A sign-in that has come as far as one of its pages. */
interface Half extends Walk {
  readonly request: SentRequest;
  readonly page: Page;
}

interface Stage {
  readonly reach: () => Promise<Half>;
  /** Which pages are shown then. */
  readonly pages: readonly string[];
}

/** How far a chain can come before it is one. */
const STAGES: Readonly<Record<string, Stage>> = {
  "the password, and the code is missing": {
    reach: () => begin("app"),
    pages: ["second-factor", "recovery-code"],
  },
  "the password, and a passkey is missing": {
    reach: () => begin("key"),
    pages: ["passkey", "recovery-code"],
  },
  "the password, and there is no second factor yet": {
    reach: () => begin("none"),
    pages: ["enroll-app", "enroll-passkey"],
  },
  "an app that was added, and its recovery codes are not saved": {
    reach: async () => goOn(await begin("none")),
    pages: ["recovery-codes", "recovery-codes.txt"],
  },
  "a recovery code, and nobody has seen how many are left": {
    reach: async () => goOn(await begin("app"), "recovery code"),
    pages: ["recovery-used"],
  },
};

async function begin(whose: "app" | "key" | "none"): Promise<Half> {
  const walk = { world, person: await addWalker(world, whose), browser: openBrowser(world) };
  const request = await app.begin();
  const page = await submitSignIn(walk.browser, await walk.browser.open(request.url), walk.person);
  return { ...walk, request, page };
}

async function goOn(half: Half, means?: "recovery code"): Promise<Half> {
  const walk = { ...half, pagesMax: 1, ...(means === undefined ? {} : { means }) };
  return { ...half, page: await follow(walk, half.page) };
}

/** Ways to leave a sign-in before its end, or to look for another end. */
const DETOURS: Readonly<Record<string, (half: Half) => Promise<Page>>> = {
  "the resume address, by hand": ({ browser, page }) => browser.open(resumeUrlOf(page)),
  "the resume address, with the restart token": ({ browser, page }) =>
    browser.open(`${resumeUrlOf(page)}${page.url.search}`),
  "the restart link": ({ browser, page }) =>
    browser.open(new URL(`/interaction/restart${page.url.search}`, world.latchkey.issuer)),
  "the same request once more, silently": async ({ browser }) =>
    browser.open((await app.begin({ prompt: "none" })).url),
  "the account page": ({ browser }) => browser.open(`${world.latchkey.issuer}/account`),
  "the consent page": ({ browser, page }) => browser.open(at(page, "consent")),
  "another account's password": async ({ browser, page }) => {
    const other = await addWalker(world, "app");
    return submitSignIn(browser, await browser.open(at(page, "sign-in")), other);
  },
  "the page in another browser": ({ page }) => openBrowser(world).open(page.url),
  "the form in another browser": ({ page }) => {
    const [form] = page.forms;
    if (form === undefined) throw new Error("the page has no form");
    return openBrowser(world).submit(page, form, { values: { code: "123456" } });
  },
};

describe.each(Object.entries(STAGES))("half a sign-in: %s", (_, { reach, pages }) => {
  test.each(Object.entries(DETOURS))("%s leads to no session, cookie or code [ASVS 6.3.4]", async (_detour, take) => {
    const half = await reach();
    const { url } = await take(half);
    expect(url.searchParams.get("code")).toBeNull();
    expect(["", "login_required"]).toContain(url.searchParams.get("error") ?? "");
    expect(await heldBy(half)).toEqual({ sessions: [], cookies: [] });
  });

  test("shows only the pages whose turn it is", async () => {
    const { browser, page } = await reach();
    const shown = new Set<string>();
    for (const step of STEPS) shown.add(stepOf(await browser.open(at(page, step))));
    expect([...shown].toSorted()).toEqual(pages.toSorted());
  });
});

const STEPS = [
  "passkey",
  "second-factor",
  "recovery-code",
  "recovery-used",
  "enroll-app",
  "enroll-passkey",
  "recovery-codes",
  "recovery-codes.txt",
  "decline",
  "consent",
  "switch",
];

describe("two tabs", () => {
  test("of one browser keep their proofs apart", async () => {
    const first = await begin("app");
    const second = await first.browser.open((await app.begin()).url);
    expect(stepOf(await first.browser.open(at(second, "second-factor")))).toBe("sign-in");
    const form = first.page.formWith("code");
    const [csrf] = second.forms.map(({ fields }) => fields.get("csrf") ?? "");
    const fields = { ...Object.fromEntries(form.fields), code: first.person.app.code() };
    for (const forged of [fields, { ...fields, csrf: csrf ?? "" }]) {
      const answer = await post(first.browser, at(second, "second-factor"), forged);
      expect(answer.headers.get("location") ?? "").not.toContain("/authorize/");
    }
    expect(await heldBy(first)).toEqual({ sessions: [], cookies: [] });
  });

  test("each with somebody else: the one that ends first ends nothing for the other but their session", async () => {
    const hers = await begin("app");
    const his = await addWalker(world, "app");
    const request = await app.begin();
    const tab = await submitSignIn(hers.browser, await hers.browser.open(request.url), his);
    const { claims } = await app.complete(hers.request, (await follow(hers, hers.page)).url);
    expect(claims).toMatchObject({ sub: await world.accountIdOf(hers.person.email), ...MFA_CLAIMS });
    const second = await app.complete(request, (await follow({ ...hers, person: his }, tab)).url);
    expect(second.claims).toMatchObject({ sub: await world.accountIdOf(his.email), ...MFA_CLAIMS });
    expect((await heldBy(hers)).sessions).toEqual([]);
  });
});

test("proofs of one account never count for another", async () => {
  const half = await begin("app");
  const bob = await addWalker(world, "none");
  const page = await submitSignIn(half.browser, await half.browser.open(at(half.page, "sign-in")), bob);
  expect(stepOf(page)).toBe("enroll-app");
  // Back to hers: of the two passwords the last one counts.
  expect(stepOf(await submitCode(half.browser, half.page, half.person.app.code()))).toBe("enroll-app");
  const again = await submitSignIn(half.browser, await half.browser.open(at(half.page, "sign-in")), half.person);
  expect(stepOf(again)).toBe("second-factor");
  expect(await heldBy(half)).toEqual({ sessions: [], cookies: [] });
});

test("the back button after the end leads to the beginning, and to no second code", async () => {
  const half = await begin("app");
  const { url } = await follow(half, half.page);
  await app.complete(half.request, url);
  const held = await heldBy(half);
  expect(held.sessions).toHaveLength(1);
  for (const back of [half.page.url.href, resumeUrlOf(half.page), at(half.page, "sign-in").href]) {
    const page = await half.browser.open(back);
    expect(isAtApp(page), back).toBe(false);
    expect(page.heading).toBe("This sign-in has expired");
  }
  expect((await submitCode(half.browser, half.page, half.person.app.code(1))).heading).toBe("This sign-in has expired");
  expect(await heldBy(half)).toEqual(held);
});

test("whoever is signed in is so by as much as the account page says", async () => {
  const half = await begin("app");
  await follow(half, half.page);
  const [session] = await world.latchkey.sessions.list(await world.accountIdOf(half.person.email));
  expect(session).toMatchObject(MFA_CLAIMS);
  expect((await half.browser.open(`${world.latchkey.issuer}/account`)).url.pathname).toBe("/account");
});

function at({ url }: Page, step: string): URL {
  const [, , uid = ""] = url.pathname.split("/");
  return new URL(`/interaction/${uid}/${step}${url.search}`, url);
}

function resumeUrlOf({ url }: Page): string {
  return `${url.origin}/authorize/${url.pathname.split("/")[2] ?? ""}`;
}

function post(browser: Browser, url: URL, fields: Readonly<Record<string, string>>): Promise<Response> {
  return browser.fetch(url, { method: "POST", body: new URLSearchParams(fields), headers: { origin: url.origin } });
}
