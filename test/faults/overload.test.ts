/**
 * More sign-ins than can be hashed, with the server as a process of its own.
 *
 * | what | has to be | figure |
 * |---|---|---|
 * | hashing | cores - 1 at a time, a bounded queue, then 503 with Retry-After | nobody waits longer than a second for a turn |
 * | tokens meanwhile | go on: every refresh succeeds | p99 under 250 ms at ten times the load |
 * | afterwards | the next sign-in succeeds | |
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { bob } from "../support/cast.ts";
import { submitSignIn } from "../support/journeys.ts";
import { askNode } from "../support/raw-http.ts";
import { createWorld, type World } from "../support/world.ts";
import { FAULT_TIMEOUT_MS, printFigure, times } from "./counts.ts";
import { type Answered, percentileMs, startLoad, statusesOf } from "./load.ts";
import { type FaultyNode, startFaultyNode } from "./nodes.ts";
import { askForTokens, openFamilies } from "./refreshing-app.ts";

const LASTS_MS = times({ short: 4_000, full: 60_000 });
const APPS = 4;
/** Each has the next attempt ready when the last one is answered. */
const ATTACKERS = times({ short: 40, full: 80 });
/** On a machine that does other things, such as this test itself, the time proves little; the full counts are for a quiet one. */
const REFRESH_P99_MS_MAX = times({ short: 3_000, full: 250 });
const SIGN_IN_MS_MAX = times({ short: 6_000, full: 2_500 });

let world: World;
let node: FaultyNode;
beforeAll(async () => {
  world = await createWorld({ stores: "redis", settings: { TRUSTED_PROXIES: "1" } });
  node = await startFaultyNode(world.latchkey.settings);
});
afterAll(async () => {
  await node.stop();
  await world.close();
});

let attempts = 0;

/** Somebody who tries passwords, at another account and from another address each time. */
async function openAttacker(): Promise<() => Promise<Answered>> {
  const browser = world.openBrowser();
  const page = await browser.open((await world.apps.notesWeb.begin()).url);
  const form = page.formWith("password");
  const target = new URL(form.action, page.url);
  const headers = {
    host: target.host,
    origin: target.origin,
    cookie: browser.jar.headerFor(target),
    "content-type": "application/x-www-form-urlencoded",
  };
  return () => {
    attempts += 1;
    const fields = new Map([
      ...form.fields,
      ["email", `person-${attempts}@example.com`],
      ["password", "wrong password"],
    ]);
    const address = `198.18.${(attempts >> 8) % 256}.${attempts % 256}`;
    return askNode(node.origin + target.pathname + target.search, {
      method: "POST",
      headers: { ...headers, "x-forwarded-for": address },
      body: new URLSearchParams([...fields]).toString(),
    });
  };
}

test(
  `${ATTACKERS} who sign in over and over get 503 beyond what can be hashed, and every refresh succeeds`,
  { timeout: FAULT_TIMEOUT_MS },
  async () => {
    const endpoint = { url: `${node.origin}/token`, host: new URL(world.latchkey.issuer).host };
    const apps = (await openFamilies(world, APPS)).map((token) => ({ token }));
    const refresh = apps.map((app) => async (): Promise<Answered> => {
      const form = { grant_type: "refresh_token", client_id: "notesWeb", refresh_token: app.token };
      const { status, body } = await askForTokens(endpoint, form);
      app.token = body.refresh_token ?? app.token;
      return { status, headers: new Headers() };
    });
    const attackers: (() => Promise<Answered>)[] = [];
    for (let count = 0; count < ATTACKERS; count += 1) attackers.push(await openAttacker());
    const load = startLoad({ refresh, "sign-in": attackers });
    await new Promise((resolve) => setTimeout(resolve, LASTS_MS));
    await load.stop();
    const of = (what: string) => load.answers.filter((one) => one.what === what);
    expect(statusesOf(of("refresh"))).toEqual({ 200: of("refresh").length });
    const statuses = statusesOf(of("sign-in"));
    expect(Object.keys(statuses)).toEqual(["400", "503"]);
    expect(of("sign-in").filter(({ status, retryAfter }) => status === 503 && !(retryAfter > 0))).toEqual([]);
    expect(percentileMs(of("sign-in"))).toBeLessThan(SIGN_IN_MS_MAX);
    expect(percentileMs(of("refresh"))).toBeLessThan(REFRESH_P99_MS_MAX);
    const browser = world.openBrowser();
    const page = await submitSignIn(browser, await browser.open(`${world.latchkey.issuer}/sign-in`), bob);
    expect(page.url.pathname).toBe("/account");
    const hashed = statuses[400] ?? 0;
    printFigure(
      `${ATTACKERS} attackers for ${LASTS_MS} ms: ${hashed} hashed and ${statuses[503]} told to come back ` +
        `(${(of("sign-in").length / hashed).toFixed(1)} x), p99 ${percentileMs(of("sign-in"))} ms; ` +
        `${of("refresh").length} refreshes, all 200, p50 ${percentileMs(of("refresh"), 0.5)} ms, p99 ${percentileMs(of("refresh"))} ms`,
    );
  },
);
