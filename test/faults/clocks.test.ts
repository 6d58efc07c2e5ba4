/**
 * A node whose clock is wrong, as a process of its own, beside an honest one and an honest Postgres.
 *
 * | fault | what has to be |
 * |---|---|
 * | 30 s ahead or behind | everything works between the two: codes, refreshes, assertions, proofs, codes of apps, verifying |
 * | 5 minutes ahead or behind | the node is not ready and serves nobody, from the first request after the step: no token lives longer than it should, and none that has expired is taken |
 * | the clock is set right | the node goes on, without a restart |
 */
import { join } from "node:path";
import { decodeJwt } from "jose";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createVerifier } from "../../src/verifier/index.ts";
import { enrollPerson, submitCode } from "../flow/mfa/people.ts";
import { startBalancer, type Balancer } from "../support/balancer.ts";
import { alice, ordersApi } from "../support/cast.ts";
import { authorizeAs, submitSignIn } from "../support/journeys.ts";
import { askNode } from "../support/raw-http.ts";
import { freePort } from "../support/servers.ts";
import { createWorld, openWallet, type World } from "../support/world.ts";
import { fetchAt } from "./chosen-node.ts";
import { FAULT_TIMEOUT_MS, printFigure, times } from "./counts.ts";
import { percentileMs, startLoad, statusesOf } from "./load.ts";
import { type FaultyNode, startFaultyNode } from "./nodes.ts";
import { askForTokens } from "./refreshing-app.ts";

const ACCESS_TOKEN_SECONDS = 300;
const STEPPED_MS = times({ short: 1_500, full: 10_000 });
const STEPS = times({ short: 1, full: 10 });
const WITHIN = { timeout: 15_000, interval: 20 };
const CLOCK = { NODE_OPTIONS: `--import=${join(import.meta.dirname, "moved-clock-process.ts")}` };

let balancer: Balancer;
let world: World;
let honestPort: number;
beforeAll(async () => {
  balancer = await startBalancer();
  honestPort = await freePort();
  balancer.serveOnly([honestPort]);
  world = await createWorld({
    stores: "redis",
    settings: { ISSUER: `http://localhost:${balancer.port}`, PORT: String(honestPort) },
  });
  // A grant that seems older than its client is taken for one of an earlier client of that name. These are no new ones.
  await sql`update clients set created_at = created_at - interval '1 hour'`.execute(world.latchkey.database.db);
});
afterAll(async () => {
  await balancer.close();
  await world.close();
});

const portOf = ({ origin }: Pick<FaultyNode, "origin">): number => Number(new URL(origin).port);
const hostOf = (): string => new URL(world.latchkey.issuer).host;

describe.each([30, -30])("a node whose clock is off by %i s", (offBySeconds) => {
  let node: FaultyNode;
  beforeAll(async () => {
    node = await startFaultyNode({
      ...world.latchkey.settings,
      ...CLOCK,
      CLOCK_AHEAD_MS: String(offBySeconds * 1_000),
    });
  });
  afterAll(() => node.stop());

  /** What follows is answered by the one, or the other. */
  async function at(which: "honest" | "skewed"): Promise<void> {
    balancer.serveOnly([which === "honest" ? honestPort : portOf(node)]);
    // Until those who ask have seen that their connections are gone.
    await expect.poll(() => fetch(`${world.latchkey.issuer}/health/live`).then(({ ok }) => ok), WITHIN).toBe(true);
  }

  test("works together with an honest one, whoever begins", { timeout: FAULT_TIMEOUT_MS }, async () => {
    const orders = { issuer: world.latchkey.issuer, audience: ordersApi.identifier };
    for (const [first, second] of [
      ["honest", "skewed"],
      ["skewed", "honest"],
    ] as const) {
      await at(first);
      const { shopWeb } = world.apps;
      const browser = world.openBrowser();
      const request = await shopWeb.begin({ scope: "openid orders:read" });
      const { url } = await authorizeAs(browser, alice, request.url);
      await at(second);
      // Judged by a strict client, and by a service of ours, that have the right time.
      const tokens = await shopWeb.complete(request, url);
      await using verifier = closing(
        createVerifier({ ...orders, revocations: "none", fetch: fetchAt(() => `http://127.0.0.1:${honestPort}`) }),
      );
      await expect(verifier.verify(tokens.accessToken)).resolves.toBeDefined();
      await at(first);
      const again = await shopWeb.refresh(tokens.refreshToken);
      await expect(verifier.verify(again.accessToken)).resolves.toBeDefined();
      await at(second);
      await expect(shopWeb.refresh(again.refreshToken)).resolves.toBeDefined();
      expect(
        (await browser.open((await world.apps.notesWeb.begin({ prompt: "none" })).url)).url.searchParams.has("code"),
      ).toBe(true);
    }
  });

  test(
    "takes assertions, proofs and codes of apps that have the right time",
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      await at("skewed");
      await expect(world.apps.deskKey.signIn(world.openBrowser(), alice)).resolves.toBeDefined();
      const { app } = await openWallet(world);
      await expect(app.signIn(world.openBrowser(), alice, { scope: "openid orders:read" })).resolves.toBeDefined();
      const holder = await enrollPerson(world);
      const browser = world.openBrowser();
      const page = await submitSignIn(browser, await browser.open((await world.apps.notesWeb.begin()).url), holder);
      expect((await submitCode(browser, page, holder.app.code())).url.searchParams.has("code")).toBe(true);
    },
  );
});

describe.each([300, -300])("a node whose clock is set off by %i s", (offBySeconds) => {
  let node: FaultyNode;
  beforeAll(async () => {
    balancer.serveOnly([honestPort]);
    node = await startFaultyNode({
      ...world.latchkey.settings,
      ...CLOCK,
      CLOCK_STEPS_TO_MS: String(offBySeconds * 1_000),
    });
  });
  afterAll(() => node.stop());

  const ask = (path: string) => askNode(node.origin + path, { headers: { host: hostOf() } });

  test(
    "serves nobody from that moment on until it is right, and lengthens no token",
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      const { refreshToken } = await world.apps.notesWeb.signIn(world.openBrowser(), alice);
      const livesMs: number[] = [];
      const basic = Buffer.from(`billingApi:${world.secrets.get("billingApi")}`).toString("base64");
      const form = "grant_type=client_credentials&scope=orders:read";
      const headers = {
        host: hostOf(),
        authorization: `Basic ${basic}`,
        "content-type": "application/x-www-form-urlencoded",
      };
      async function issue() {
        const answer = await askNode(`${node.origin}/token`, { method: "POST", headers, body: form });
        if (answer.status !== 200) return answer;
        const { access_token: token } = JSON.parse(answer.body) as { readonly access_token: string };
        livesMs.push((decodeJwt(token).exp ?? 0) * 1_000 - Date.now());
        return answer;
      }
      const load = startLoad({
        tokens: [issue, issue],
        published: [() => ask("/jwks")],
        ready: [() => ask("/health/ready")],
      });
      try {
        for (let round = 0; round < STEPS; round += 1) {
          await expect.poll(() => load.answers.at(-1)?.status, WITHIN).toBe(200);
          node.stepClock();
          // The signal arrives at the next turn of its event loop.
          await expect.poll(async () => (await ask("/health/ready")).status, WITHIN).toBe(503);
          const wrongAtMs = performance.now();
          const refresh = { grant_type: "refresh_token", client_id: "notesWeb", refresh_token: refreshToken };
          const refreshed = await askForTokens({ url: `${node.origin}/token`, host: hostOf() }, refresh);
          expect(refreshed.status).toBe(503);
          expect((await ask("/authorize?client_id=notesWeb")).status).toBe(503);
          expect((await ask("/health/ready")).body).toContain("clock");
          expect((await ask("/health/live")).status).toBe(200);
          await new Promise((resolve) => setTimeout(resolve, STEPPED_MS));
          const meanwhile = load.between(wrongAtMs, performance.now());
          const of = (what: string) => meanwhile.filter((one) => one.what === what);
          expect(statusesOf(of("tokens"))).toEqual({ 503: of("tokens").length });
          expect(of("tokens").filter(({ retryAfter }) => !(retryAfter > 0))).toEqual([]);
          expect(statusesOf(of("published"))).toEqual({ 200: of("published").length });
          expect(percentileMs(of("tokens"))).toBeLessThan(1_000);
          node.stepClock();
          await expect.poll(async () => (await ask("/health/ready")).status, WITHIN).toBe(200);
          await expect.poll(async () => (await issue()).status, WITHIN).toBe(200);
        }
      } finally {
        await load.stop();
      }
      expect(Math.max(...livesMs)).toBeLessThanOrEqual(ACCESS_TOKEN_SECONDS * 1_000);
      // Nobody was signed out by it.
      expect((await world.apps.notesWeb.requestRefresh(refreshToken)).status).toBe(200);
      printFigure(
        `clock set off by ${offBySeconds} s, ${STEPS} times: ${livesMs.length} tokens, none lives longer than ` +
          `${Math.round(Math.max(...livesMs) / 1_000)} s; ${JSON.stringify(statusesOf(load.answers))}`,
      );
    },
  );
});

function closing<Closable extends { close(): Promise<void> }>(closable: Closable): Closable & AsyncDisposable {
  return Object.assign(closable, { [Symbol.asyncDispose]: () => closable.close() });
}
