import { randomBytes } from "node:crypto";
import { decodeJwt } from "jose";
import { expect } from "vitest";
import { anyAddress } from "../../support/addresses.ts";
import type { Browser, Page } from "../../support/browser.ts";
import type { Person } from "../../support/cast.ts";
import type { LatchkeyOptions } from "../../support/latchkey.ts";
import type { Tokens } from "../../support/relying-party.ts";
import { addService, type Caller, ordersService, post } from "../../support/services.ts";
import { createWorld, type World } from "../../support/world.ts";

const FOR_ORDERS = { scope: "openid profile email orders:read" };
export const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
export const SAFARI =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

/** One person in one browser, signed in at the shop. */
export interface Device {
  readonly browser: Browser;
  readonly person: Person;
  readonly tokens: Tokens;
  readonly sessionId: string;
}

/** What still lets somebody in. */
export interface Access {
  readonly cookie: boolean;
  readonly refresh: boolean;
  readonly jwt: boolean;
}

export const EVERYTHING: Access = { cookie: true, refresh: true, jwt: true };
export const NOTHING: Access = { cookie: false, refresh: false, jwt: false };

export interface AccountWorld extends World {
  /** Somebody whom no other test knows. */
  addPerson(name?: string): Promise<Person>;
  /** From an address of its own, unless one is named: sign-ins are throttled by address. */
  signIn(person: Person, userAgent?: string, address?: string): Promise<Device>;
  openAccount(device: Pick<Device, "browser">, path?: string): Promise<Page>;
  accessOf(device: Device): Promise<Access>;
  isActive(jwt: string): Promise<boolean>;
}

export async function createAccountWorld(settings: LatchkeyOptions["settings"] = {}): Promise<AccountWorld> {
  const world = await createWorld({ stores: "redis", settings: { TRUSTED_PROXIES: "1", ...settings } });
  const orders: Caller = await addService(world.latchkey, ordersService);
  const { shopWeb, notesWeb } = world.apps;

  async function isActive(token: string): Promise<boolean> {
    const { body } = await post(world.latchkey, "/introspect", { caller: orders, parameters: { token } });
    return (body as { active: boolean }).active;
  }

  return {
    ...world,
    isActive,
    async addPerson(name = "Alice Archer") {
      const email = `alice-${randomBytes(6).toString("hex")}@example.com`;
      const person = { email, name, password: "velvet-otter-piano-42" };
      await world.latchkey.accounts.register(person, "operator");
      return person;
    },
    async signIn(person, userAgent = FIREFOX, address = anyAddress()) {
      const browser = world.openBrowser({ "user-agent": userAgent, "x-forwarded-for": address });
      const tokens = await shopWeb.signIn(browser, person, FOR_ORDERS);
      return { browser, person, tokens, sessionId: String(decodeJwt(tokens.accessToken)["sid"]) };
    },
    openAccount: ({ browser }, path = "/account") => browser.open(world.latchkey.issuer + path),
    async accessOf({ browser, tokens }) {
      const jwt = await isActive(tokens.accessToken);
      const { url } = await browser.open((await notesWeb.begin({ prompt: "none" })).url);
      const { status } = await shopWeb.requestRefresh(tokens.refreshToken);
      return { jwt, cookie: url.searchParams.has("code"), refresh: status === 200 };
    },
  };
}

/** Submits the form of a page that leads to this address. */
export async function submitTo(
  browser: Browser,
  page: Page,
  form: { readonly action: string; readonly values?: Record<string, string> },
): Promise<Page> {
  const found = page.forms.find(({ action }) => action === form.action);
  if (found === undefined) throw new Error(`no form for ${form.action} at ${page.url.pathname}: ${page.text}`);
  return browser.submit(page, found, { values: form.values ?? {} });
}

export function expectPage(page: Page, path: string): void {
  expect(`${page.url.pathname}${page.url.search}`).toBe(path);
  expect(page.status).toBe(200);
}
