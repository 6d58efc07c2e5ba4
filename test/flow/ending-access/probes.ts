import { expect } from "vitest";
import type { Browser } from "../../support/browser.ts";
import { ordersApi, type Person } from "../../support/cast.ts";
import { authorizeAs, decideConsent } from "../../support/journeys.ts";
import { askNode } from "../../support/raw-http.ts";
import type { SentRequest } from "../../support/relying-party.ts";
import { post } from "../../support/services.ts";
import type { Deployment, Verdict } from "./deployment.ts";
import { type App, beginForApis, type Code, copyOf, type Held, openBrowser, type Scene } from "./scene.ts";
import { type Kind, KINDS, type Whose } from "./table.ts";

/** Tells whether something still lets somebody in. What the nodes do not agree on fails the test. */
export type Probe = () => Promise<boolean>;
export type Probes = Readonly<Partial<Record<Kind, Probe>>>;

/**
 * Takes hold of everything before access ends, cookies by a copy: what a browser gives up at a sign-out, a thief has.
 * Access is a token that services accept; that there is an answer to a request is none.
 */
export function prepareProbes(scene: Scene): Readonly<Record<Whose, Probes>> {
  const { deployment, atShop, atCalendar, atArchive, elsewhere, bobs } = scene;
  const cookie = ({ browser }: Held): Probes => {
    const thief = copyOf(browser);
    return { cookie: () => signsInSilently(scene, thief) };
  };
  const shop = { ...atShop, browser: copyOf(atShop.browser) };
  return {
    shop: probesOf(deployment, shop),
    cookie: cookie(atShop),
    "other app": probesOf(deployment, atCalendar),
    archive: probesOf(deployment, atArchive),
    elsewhere: { ...probesOf(deployment, elsewhere), ...cookie(elsewhere) },
    bob: { ...probesOf(deployment, bobs), ...cookie(bobs) },
    service: { jwt: () => isAccepted(deployment, scene.service) },
  };
}

export function kindsOf(probes: Probes): readonly Kind[] {
  return KINDS.filter((kind) => probes[kind] !== undefined);
}

/** What is refused, tokens first: a sign-in or a refresh must not change what they are asked about. */
export async function listRefused(probes: Probes): Promise<readonly Kind[]> {
  const order: readonly Kind[] = ["jwt", "opaque", "userinfo", "cookie", "code", "refresh", "page"];
  const refused = new Set<Kind>();
  for (const kind of order) {
    const probe = probes[kind];
    if (probe !== undefined && !(await probe())) refused.add(kind);
  }
  return KINDS.filter((kind) => refused.has(kind));
}

/** Whether the person can sign in at the shop, in a browser without a past, and the shop gets in with what that gives. */
export async function signsInAgain({ deployment, shop, alice }: Scene): Promise<boolean> {
  const request = await beginForApis(shop);
  return letsIn(deployment, shop, { request, callback: await arriveAt(openBrowser(), alice, request) });
}

async function arriveAt(browser: Browser, person: Person, request: SentRequest): Promise<URL> {
  return (await authorizeAs(browser, person, request.url)).url;
}

function probesOf(deployment: Deployment, held: Held): Probes {
  const { app, jwt, opaque, userinfo, code, page } = held;
  return {
    jwt: () => isAccepted(deployment, jwt),
    refresh: () => refreshes(deployment, held),
    ...(opaque === undefined ? {} : { opaque: async () => agreed(await deployment.askNodes(opaque)) }),
    ...(userinfo === undefined ? {} : { userinfo: () => tellsWho(deployment, userinfo) }),
    ...(code === undefined ? {} : { code: () => letsIn(deployment, app, code) }),
    ...(page === undefined ? {} : { page: () => goesOn(deployment, held) }),
  };
}

async function isAccepted(deployment: Deployment, jwt: string): Promise<boolean> {
  const [services, nodes] = await Promise.all([deployment.askServices(jwt), deployment.askNodes(jwt)]);
  return agreed([...services, ...nodes]);
}

/** A refresh at the other node, and its retry at the one where access ended. */
async function refreshes(deployment: Deployment, { app, refresh }: Held): Promise<boolean> {
  const parameters = { grant_type: "refresh_token", refresh_token: refresh, resource: ordersApi.identifier };
  const verdicts: Verdict[] = [];
  for (const node of deployment.nodes().toReversed()) {
    const answer = await post(node, "/token", { caller: app.caller, parameters });
    verdicts.push((await givesAccess(deployment, answer)) ? "accepted" : "inactive");
  }
  return agreed(verdicts);
}

/** At the node where access did not end. */
async function letsIn(deployment: Deployment, { party, caller }: App, { request, callback }: Code): Promise<boolean> {
  const code = callback.searchParams.get("code");
  if (code === null) return false;
  const parameters = {
    grant_type: "authorization_code",
    code,
    redirect_uri: party.redirectUri,
    code_verifier: request.verifier,
    resource: ordersApi.identifier,
  };
  return givesAccess(deployment, await post(deployment.nodes()[1], "/token", { caller, parameters }));
}

async function givesAccess(deployment: Deployment, answer: { readonly body: unknown }): Promise<boolean> {
  const { access_token: token } = answer.body as { readonly access_token?: string };
  return token !== undefined && isAccepted(deployment, token);
}

async function tellsWho({ world, nodes }: Deployment, token: string): Promise<boolean> {
  const { pathname, host } = new URL(world.server.userinfo_endpoint ?? "");
  const headers = { host, authorization: `Bearer ${token}` };
  const answers = await Promise.all(
    nodes().map((node) => askNode(`http://127.0.0.1:${node.settings.PORT}${pathname}`, { headers })),
  );
  return agreed(answers.map(({ status }) => (status === 200 ? "accepted" : "inactive")));
}

async function signsInSilently({ deployment, calendar }: Scene, browser: Browser): Promise<boolean> {
  const request = await beginForApis(calendar, { prompt: "none" });
  return letsIn(deployment, calendar, { request, callback: (await browser.open(request.url)).url });
}

/** Allows what the page asks for. */
async function goesOn(deployment: Deployment, { app, browser, page, pageRequest }: Held): Promise<boolean> {
  if (page === undefined || pageRequest === undefined) return false;
  const { url } = await decideConsent(browser, page, "Allow");
  return letsIn(deployment, app, { request: pageRequest, callback: url });
}

function agreed(verdicts: readonly Verdict[]): boolean {
  const accepted = verdicts.map((verdict) => verdict === "accepted");
  const [first = false] = accepted;
  expect(accepted, `verdicts: ${verdicts.join(", ")}`).toEqual(accepted.map(() => first));
  return first;
}
