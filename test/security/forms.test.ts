import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "../support/browser.ts";
import { alice, bob } from "../support/cast.ts";
import type { HtmlForm } from "../support/html.ts";
import { signInAs, submitSignIn } from "../support/journeys.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

interface Target {
  readonly browser: Browser;
  readonly page: Page;
  readonly form: HtmlForm;
  readonly values: Record<string, string>;
}

let registered = 0;

/** Every form of ours, on the page that it stands on. */
const forms: Readonly<Record<string, () => Promise<Target>>> = {
  "sign in": async () => {
    const browser = world.openBrowser();
    const page = await browser.open((await world.apps.notesWeb.begin()).url);
    const values = { email: alice.email, password: alice.password };
    return { browser, page, form: page.formWith("password"), values };
  },
  "create account": async () => {
    const browser = world.openBrowser();
    const page = await browser.open((await world.apps.notesWeb.begin({ prompt: "create" })).url);
    registered += 1;
    const values = { name: "Eve", email: `eve${registered}@example.com`, password: "quartz-bramble-tunnel-8" };
    return { browser, page, form: page.formWith("name"), values };
  },
  consent: async () => {
    const { browser, page } = await openConsent();
    const form = page.forms.find(({ buttons }) => buttons.some(({ name }) => name === "decision"));
    if (form === undefined) throw new Error("no consent form");
    return { browser, page, form, values: { decision: "allow" } };
  },
  "switch account": async () => {
    const { browser, page } = await openConsent();
    const form = page.forms.find(({ action }) => action.includes("/switch"));
    if (form === undefined) throw new Error("no switch form");
    return { browser, page, form, values: {} };
  },
  "sign out": async () => {
    const browser = world.openBrowser();
    const page = await signInAs(browser, alice, world.latchkey.issuer);
    return { browser, page, form: page.formWith("csrf"), values: {} };
  },
};

async function openConsent(): Promise<{ browser: Browser; page: Page }> {
  const browser = world.openBrowser();
  const { url } = await world.apps.shopWeb.begin({ prompt: "consent", scope: "openid" });
  return { browser, page: await submitSignIn(browser, await browser.open(url), bob) };
}

async function send(target: Target, changes: { fields?: Record<string, string>; headers?: Record<string, string> }) {
  const body = new URLSearchParams({ ...Object.fromEntries(target.form.fields), ...target.values, ...changes.fields });
  for (const [name, value] of Object.entries(changes.fields ?? {})) if (value === "absent") body.delete(name);
  return await target.browser.fetch(new URL(target.form.action, target.page.url), {
    method: "POST",
    body,
    ...(changes.headers === undefined ? {} : { headers: changes.headers }),
  });
}

describe.each(Object.keys(forms))("the form to %s [ASVS 3.5.1]", (name) => {
  const open = async (): Promise<Target> => {
    const opened = await forms[name]?.();
    if (opened === undefined) throw new Error("no such form");
    return opened;
  };

  test("is refused without its token, with a made-up one and with another page's", async () => {
    const target = await open();
    const foreign = (await open()).form.fields.get("csrf") ?? "";
    for (const csrf of ["absent", "", "AAAA", foreign]) {
      const response = await send(target, { fields: { csrf } });
      expect(response.status).toBe(403);
      expect(response.headers.get("location")).toBeNull();
    }
    expect((await send(target, {})).status).toBe(303);
  });

  test("is refused when another site sent it, token or not", async () => {
    const target = await open();
    const senders = [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { origin: "https://mallory.example.com" },
      { origin: `${world.latchkey.issuer}.mallory.example.com` },
      { origin: "null", "sec-fetch-site": "cross-site" },
    ];
    for (const headers of senders) expect((await send(target, { headers })).status).toBe(403);
    expect((await send(target, { headers: { "sec-fetch-site": "same-origin" } })).status).toBe(303);
  });

  test("is not read from JSON, another encoding or a query", async () => {
    const target = await open();
    const url = new URL(target.form.action, target.page.url);
    const fields = { ...Object.fromEntries(target.form.fields), ...target.values };
    const contents = [
      { type: "application/json", body: JSON.stringify(fields) },
      { type: "text/plain", body: new URLSearchParams(fields).toString() },
      { type: "multipart/form-data; boundary=x", body: "--x--" },
    ];
    for (const { type, body } of contents) {
      const response = await target.browser.fetch(url, { method: "POST", body, headers: { "content-type": type } });
      expect(response.status).toBe(400);
    }
    for (const [field, value] of Object.entries(fields)) url.searchParams.set(field, value);
    expect((await target.browser.fetch(url)).status).not.toBe(302);
    expect((await send(target, {})).status).toBe(303);
  });
});
