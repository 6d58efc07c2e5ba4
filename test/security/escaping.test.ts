import { afterAll, beforeAll, expect, test } from "vitest";
import type { Page } from "../support/browser.ts";
import { alice } from "../support/cast.ts";
import { submitSignIn } from "../support/journeys.ts";
import { createWorld, type World } from "../support/world.ts";

const MARK = "zq7";
const PAYLOADS = [
  `<script>${MARK}()</script>`,
  `"><img src=x onerror=${MARK}()>`,
  `' autofocus onfocus='${MARK}()`,
  `</title><svg/onload=${MARK}()>`,
  `javascript:${MARK}()`,
  `{{${MARK}}}<%= ${MARK} %>\${${MARK}}`,
  `\u2028\u2029<!--${MARK}`,
  `**${MARK}**<u>`,
] as const;

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

/** The payload may stand in the page as text, and nowhere as markup, attribute or address. */
/** The script of passkeys, by its whole address, which nothing of a payload can reach. */
const OWN_SCRIPT = /<script src="\/assets\/(?:simplewebauthn|passkey)\.js\?v=[\w-]{16}" defer><\/script>/g;
const OWN_SCRIPT_SOURCE = / http:\/\/localhost:\d+\/assets\/(?:simplewebauthn|passkey)\.js(?=[ ;])/g;

function expectInert(page: Page): void {
  // The app's own address: the payload is in a query, encoded.
  expect(page.url.protocol).toMatch(/^https?:$/);
  const html = page.html.replaceAll(OWN_SCRIPT, "");
  if (html === "") return;
  const markup = html.replaceAll(/"[^"]*"/g, '""');
  expect(html).not.toMatch(new RegExp(`<(script|img src=x|svg/onload|u>|!--${MARK})`, "i"));
  expect(markup).not.toMatch(new RegExp(`\\son\\w+=["']?${MARK}`, "i"));
  expect(html).not.toMatch(new RegExp(`(href|src|action)="\\s*javascript:`, "i"));
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy.replaceAll(OWN_SCRIPT_SOURCE, "")).toMatch(/default-src 'none'; script-src;/);
  expect(policy).not.toContain(MARK);
}

test.each(PAYLOADS)("%j in any parameter is only text [ASVS 1.2.1]", async (payload) => {
  const names = ["state", "nonce", "login_hint", "ui_locales", "scope", "prompt", "claims", "acr_values", "display"];
  for (const name of [...names, "client_id", "redirect_uri", "response_type", "id_token_hint", "max_age"]) {
    const { url } = await world.apps.notesWeb.begin({ [name]: payload });
    expectInert(await world.openBrowser().open(url));
  }
  for (const path of [
    `/account/signed-in?error=${encodeURIComponent(payload)}&error_description=${encodeURIComponent(payload)}`,
    `/interaction/restart?r=${encodeURIComponent(payload)}`,
    `/interaction/${encodeURIComponent(payload)}?r=x`,
    `/${encodeURIComponent(payload)}`,
    `/end-session?client_id=${encodeURIComponent(payload)}`,
    `/end-session?id_token_hint=${encodeURIComponent(payload)}&ui_locales=${encodeURIComponent(payload)}`,
  ]) {
    expectInert(await world.openBrowser().open(world.latchkey.issuer + path));
  }
});

test.each(PAYLOADS)("%j in a form field comes back as text", async (payload) => {
  const browser = world.openBrowser();
  const signIn = await browser.open((await world.apps.notesWeb.begin()).url);
  const again = await submitSignIn(browser, signIn, { email: payload, password: payload });
  expectInert(again);
  expect(again.html).not.toContain(`value="${MARK}`);
  const register = await browser.open((await world.apps.notesWeb.begin({ prompt: "create" })).url);
  const values = { name: payload, email: payload, password: payload };
  const refused = await browser.submit(register, register.formWith("name"), { values });
  expectInert(refused);
  expect(refused.formWith("name").fields.get("name")).toBe(payload);
});

test("the name of an app and of a person is only text, on every page that shows it", async () => {
  const [script] = PAYLOADS;
  await world.latchkey.clients.addClient({
    id: "malloryWeb",
    name: script,
    redirectUris: ["https://mail.example.com/mallory"],
  });
  const app = world.appOf({ clientId: "malloryWeb", redirectUri: "https://mail.example.com/mallory" });
  const browser = world.openBrowser();
  const signIn = await browser.open((await app.begin()).url);
  expectInert(signIn);
  expect(signIn.text).toContain(script);
  const consent = await submitSignIn(browser, signIn, alice);
  expectInert(consent);
  expect(consent.heading).toContain(script);
  expectInert(await browser.open(`${world.latchkey.issuer}/end-session?client_id=malloryWeb`));
  expectInert(await browser.open((await app.begin({ redirect_uri: "https://mail.example.com/other" })).url));

  const fresh = world.openBrowser();
  const register = await fresh.open(`${world.latchkey.issuer}/create-account`);
  const values = { name: `Eve ${script}`, email: "eve@example.com", password: "quartz-bramble-tunnel-8" };
  const account = await fresh.submit(register, register.formWith("name"), { values });
  expectInert(account);
  expect(account.text).toContain(script);
});

test("an error that goes back to the app is encoded", async () => {
  const state = `"><script>${MARK}()</script>&code=forged#x`;
  const { url } = await world.openBrowser().open((await world.apps.notesWeb.begin({ prompt: "none", state })).url);
  expect(url.searchParams.get("state")).toBe(state);
  expect(url.searchParams.has("code")).toBe(false);
  expect(url.hash).toBe("");
});
