import { randomBytes } from "node:crypto";
import * as oauth from "oauth4webapi";
import { fromAnywhere } from "../../support/addresses.ts";
import { Browser, type Page } from "../../support/browser.ts";
import { ordersApi, type Person } from "../../support/cast.ts";
import { authorizeAs } from "../../support/journeys.ts";
import type { RelyingParty, SentRequest } from "../../support/relying-party.ts";
import { type Caller, post } from "../../support/services.ts";
import { archiveWeb, calendarWeb, type Deployment, parcelsApi, shopSettings } from "./deployment.ts";

const APP_ORIGINS = ["https://shop.example.com", "https://notes.example.com"];
const FOR_APIS = "openid orders:read parcels:read";

/** An app, and how it calls. */
export interface App {
  readonly party: RelyingParty;
  caller: Caller;
}

/** A code that came back to the app. */
export interface Code {
  readonly request: SentRequest;
  readonly callback: URL;
}

/** All that one app holds of a person, and the person's browser. */
export interface Held {
  readonly app: App;
  readonly browser: Browser;
  readonly jwt: string;
  readonly refresh: string;
  readonly opaque?: string;
  readonly userinfo?: string;
  readonly code?: Code;
  /** It asks for consent, and waits. */
  readonly page?: Page;
  readonly pageRequest?: SentRequest;
  /** Redeemed already. */
  readonly spent: Code;
  readonly idToken: string;
}

export interface Scene {
  readonly deployment: Deployment;
  readonly alice: Person;
  readonly aliceId: string;
  readonly shop: App;
  readonly calendar: App;
  /** Alice's on this device; `elsewhere` is on another. */
  readonly atShop: Held;
  readonly atCalendar: Held;
  readonly atArchive: Held;
  readonly elsewhere: Held;
  readonly bobs: Held;
  readonly service: string;
}

/** People and a shop that no other scene has. */
export async function setScene(deployment: Deployment): Promise<Scene> {
  const { world } = deployment;
  const [alice, bob] = [await addPerson(deployment, "Alice"), await addPerson(deployment, "Bob")];
  const shop = await addShop(deployment);
  const [calendar, archive] = [calendarWeb, archiveWeb].map(({ id, redirectUris: [redirectUri] }) => ({
    party: world.appOf({ clientId: id, redirectUri }),
    caller: { id },
  }));
  if (calendar === undefined || archive === undefined) throw new Error("both are there");
  const browser = openBrowser();
  const atShop = await use(shop, browser, alice);
  const pageRequest = await beginForApis(shop, { prompt: "consent" });
  return {
    deployment,
    alice,
    aliceId: await world.accountIdOf(alice.email),
    shop,
    calendar,
    atShop: { ...atShop, pageRequest, page: await browser.open(pageRequest.url) },
    atCalendar: await use(calendar, browser, alice),
    atArchive: await goOffline(archive, browser, alice),
    elsewhere: await use(shop, openBrowser(), alice),
    bobs: await use(shop, openBrowser(), bob),
    service: await openService(deployment, shop),
  };
}

/** From an address of its own: sign-ins are throttled by address. */
export function openBrowser(): Browser {
  return new Browser({ appOrigins: APP_ORIGINS, headers: fromAnywhere() });
}

/** The same browser in the hands of somebody who copied its cookies. */
export function copyOf(browser: Browser): Browser {
  return new Browser({ appOrigins: APP_ORIGINS, jar: browser.jar.copy() });
}

export async function addPerson({ world }: Deployment, name: string): Promise<Person> {
  const email = `${name.toLowerCase()}-${randomBytes(6).toString("hex")}@example.com`;
  const person = { email, name, password: "velvet-otter-piano-42" };
  await world.latchkey.accounts.register(person, "operator");
  return person;
}

async function addShop({ world }: Deployment): Promise<App> {
  const id = `shop-${randomBytes(6).toString("hex")}`;
  const { secret = "" } = await world.latchkey.clients.addClient({ ...shopSettings, id });
  const [redirectUri] = shopSettings.redirectUris;
  const authentication = oauth.ClientSecretBasic(secret);
  return { party: world.appOf({ clientId: id, redirectUri, authentication }), caller: { id, secret } };
}

export async function beginForApis({ party }: App, changes: Record<string, string> = {}): Promise<SentRequest> {
  const request = await party.begin({ scope: FOR_APIS, ...changes });
  for (const api of [ordersApi, parcelsApi]) request.url.searchParams.append("resource", api.identifier);
  return request;
}

/** Signs in where the browser is not, allows what is asked, and gets one of everything. */
async function use(app: App, browser: Browser, person: Person): Promise<Held> {
  const get = async (request: SentRequest): Promise<Code> => {
    return { request, callback: (await authorizeAs(browser, person, request.url)).url };
  };
  const spent = await get(await beginForApis(app));
  const first = await app.party.complete(spent.request, spent.callback);
  const next = await app.party.refresh(first.refreshToken, { resource: parcelsApi.identifier });
  const forUserinfo = await get(await app.party.begin({ scope: "openid" }));
  const identity = await app.party.complete(forUserinfo.request, forUserinfo.callback);
  return {
    app,
    browser,
    spent,
    idToken: first.idToken,
    jwt: first.accessToken,
    refresh: next.refreshToken,
    opaque: next.accessToken,
    userinfo: identity.accessToken,
    code: await get(await beginForApis(app)),
  };
}

async function goOffline(app: App, browser: Browser, person: Person): Promise<Held> {
  const request = await beginForApis(app, { scope: `${FOR_APIS} offline_access`, prompt: "consent" });
  const spent = { request, callback: (await authorizeAs(browser, person, request.url)).url };
  const first = await app.party.complete(request, spent.callback);
  const next = await app.party.refresh(first.refreshToken, { resource: parcelsApi.identifier });
  const tokens = { jwt: first.accessToken, refresh: next.refreshToken, opaque: next.accessToken };
  return { app, browser, spent, idToken: first.idToken, ...tokens };
}

async function openService({ nodes }: Deployment, { caller }: App): Promise<string> {
  const parameters = { grant_type: "client_credentials", resource: ordersApi.identifier, scope: "orders:read" };
  const { body } = await post(nodes()[0], "/token", { caller, parameters });
  return (body as { readonly access_token: string }).access_token;
}
