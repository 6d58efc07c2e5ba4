import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { alice } from "../../support/cast.ts";
import { type Cable, layCable } from "../../support/cable.ts";
import { signInAs } from "../../support/journeys.ts";
import type { Stores } from "../../support/latchkey.ts";
import { createTestDatabase, createTestRedis, type TestStore } from "../../support/stores.ts";
import { createWorld, type World } from "../../support/world.ts";

const ANSWER_MS_MAX = 1_200;
const RECOVERY_MS_MAX = 5_000;

interface Case {
  readonly store: "redis" | "postgres";
  readonly stores: Stores;
  readonly key: "REDIS_URL" | "DATABASE_URL";
  readonly create: () => Promise<TestStore>;
}

const CASES: readonly Case[] = [
  { store: "redis", stores: "redis", key: "REDIS_URL", create: createTestRedis },
  { store: "postgres", stores: "postgres", key: "DATABASE_URL", create: createTestDatabase },
];

describe.each(CASES)("without $store", ({ store, stores, key, create }) => {
  let world: World;
  let cable: Cable;
  let ground: TestStore;

  beforeAll(async () => {
    ground = await create();
    cable = await layCable(ground.url);
    world = await createWorld({ stores, settings: { [key]: cable.url } });
  });

  afterAll(async () => {
    await world.close();
    await cable.close();
    await ground.drop();
  });

  afterEach(() => cable.mend());

  const timed = async (ask: () => Promise<Response>): Promise<Response> => {
    const startedAt = performance.now();
    const response = await ask();
    const tookMs = performance.now() - startedAt;
    expect(tookMs, `${response.url} took ${Math.round(tookMs)} ms`).toBeLessThan(ANSWER_MS_MAX);
    return response;
  };

  test.each(["cut", "stall"] as const)(
    "(wire: %s) every answer that needs it is 503 with Retry-After, the rest goes on, and it recovers by itself",
    async (fault) => {
      const { issuer } = world.latchkey;
      const { notesWeb } = world.apps;
      const browser = world.openBrowser();
      const { refreshToken } = await notesWeb.signIn(browser, alice);
      const waiting = world.openBrowser();
      const page = await waiting.open((await notesWeb.begin()).url);
      const request = await notesWeb.begin();

      await cable[fault]();
      const needy = {
        token: () => notesWeb.requestRefresh(refreshToken),
        authorize: () => browser.fetch(request.url),
        interaction: () => waiting.fetch(page.url),
        account: () => browser.fetch(`${issuer}/account`),
      };
      for (const [name, ask] of Object.entries(needy)) {
        const response = await timed(ask);
        expect(response.status, name).toBe(503);
        expect(Number(response.headers.get("retry-after")), name).toBeGreaterThan(0);
        expect(await response.text(), name).not.toMatch(/ECONN|\bat .*\.ts:|postgres:\/\/|redis:\/\//);
      }
      const steady = ["/.well-known/openid-configuration", "/jwks", "/health/live", "/"];
      for (const path of steady) expect((await timed(() => fetch(issuer + path))).status, path).toBe(200);
      const ready = await timed(() => fetch(`${issuer}/health/ready`));
      expect(ready.status).toBe(503);
      expect(await ready.text()).toContain(store);

      await cable.mend();
      const deadline = performance.now() + RECOVERY_MS_MAX;
      while ((await fetch(`${issuer}/health/ready`)).status !== 200 && performance.now() < deadline) await delay(50);
      const again = world.openBrowser();
      const account = await signInAs(again, alice, issuer);
      expect(account.url.pathname).toBe("/account");
      expect(performance.now()).toBeLessThan(deadline);
      // Nothing was lost, and nothing that failed was half done.
      expect((await notesWeb.requestRefresh(refreshToken)).status).toBe(200);
    },
  );
});
