/**
 * Redis that may throw keys away, and Redis that has no room.
 *
 * | fault | what has to be |
 * |---|---|
 * | `maxmemory-policy` is not `noeviction` at the start | the server does not start, and says what to do |
 * | it is changed while Redis runs | every node says so in the log, every ten seconds |
 * | another Redis, or the same after a restart, has such a policy | nobody is served from it |
 * | full, with `noeviction` | whatever needs room is 503 with Retry-After; what ends access is carried out; nothing revoked comes back |
 * | room again | everything goes on, without a restart |
 */
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { alice, bob } from "../support/cast.ts";
import { startRedis, type TestServer } from "../support/servers.ts";
import { createLogger } from "../../src/observability/index.ts";
import { type Cable, layCable } from "../support/cable.ts";
import { createWorld, type World } from "../support/world.ts";
import { FAULT_TIMEOUT_MS, printFigure, times } from "./counts.ts";
import { createTokenSource, listUsable, type SignedIn } from "./revocation-load.ts";

const ROUNDS = times({ short: 3, full: 50 });
const WITHIN = { timeout: 20_000, interval: 20 };

let server: TestServer;
let redis: Redis;
let cable: Cable;
let world: World;
const logged: string[] = [];
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
  cable = await layCable(server.url);
  const destination = { write: (line: string) => void logged.push(line) };
  const logger = createLogger({ level: "info", destination });
  world = await createWorld({ stores: "redis", settings: { REDIS_URL: cable.url, TRUSTED_PROXIES: "1" }, logger });
});
afterAll(async () => {
  await world.close();
  await cable.close();
  redis.disconnect();
  await server.stop();
});

const isReady = async (): Promise<boolean> => (await fetch(`${world.latchkey.issuer}/health/ready`)).ok;

/** Everything that is there stays, and nothing more gets in. */
async function fillUp(): Promise<void> {
  await redis.config("SET", "maxmemory", "1");
  const refusal = await redis.set("more", "x").catch((error: unknown) => String(error));
  expect(refusal).toContain("OOM command not allowed");
}
const makeRoom = (): Promise<unknown> => redis.config("SET", "maxmemory", "0");

describe("a Redis that is full", () => {
  test("refuses with 503 what needs room, and goes on when there is some", { timeout: FAULT_TIMEOUT_MS }, async () => {
    const { notesWeb } = world.apps;
    const browser = world.openBrowser();
    const { refreshToken } = await notesWeb.signIn(browser, alice);
    const waiting = world.openBrowser();
    const form = await waiting.open((await notesWeb.begin()).url);
    await fillUp();
    try {
      const answers = {
        refresh: await notesWeb.requestRefresh(refreshToken),
        authorize: await world.openBrowser().fetch((await notesWeb.begin()).url),
        "sign-in": await waiting.submit(form, form.formWith("password"), { values: { ...bob } }),
      };
      for (const [what, { status, headers }] of Object.entries(answers)) {
        expect(status, what).toBe(503);
        expect(Number(headers.get("retry-after")), what).toBeGreaterThan(0);
      }
      // What only reads goes on, and a node that cannot write is no less ready than the others.
      expect((await fetch(`${world.latchkey.issuer}/jwks`)).status).toBe(200);
      expect(await isReady()).toBe(true);
      const isNamed = () => logged.some((line) => line.includes("request failed") && line.includes("OOM command"));
      await expect.poll(isNamed, WITHIN).toBe(true);
    } finally {
      await makeRoom();
    }
    // Nothing that was refused was half done.
    expect((await notesWeb.requestRefresh(refreshToken)).status).toBe(200);
    await expect(notesWeb.signIn(world.openBrowser(), bob)).resolves.toBeDefined();
  });

  test(
    `takes ${ROUNDS} revocations and ${ROUNDS} sign-outs all the same, and nothing of it comes back`,
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      const source = createTokenSource(world);
      const usable: string[] = [];
      let acknowledged = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const [revoked, ended] = [await source.signIn(alice), await source.signIn(bob)];
        await fillUp();
        try {
          await world.apps.shopWeb.revoke(revoked.tokens.refreshToken);
          await source.endSession(ended);
          acknowledged += 2;
        } finally {
          await makeRoom();
        }
        usable.push(...(await refreshTokensOf(revoked)), ...(await listUsable(world, ended)));
      }
      expect(usable).toEqual([]);
      printFigure(`redis full: ${acknowledged} of ${2 * ROUNDS} endings acknowledged, 0 came back`);
    },
  );

  async function refreshTokensOf(signedIn: SignedIn): Promise<readonly string[]> {
    return (await listUsable(world, signedIn)).filter((what) => what === "refresh token");
  }
});

describe("a Redis that may evict", () => {
  const isNamed = (policy: string) => (): boolean =>
    logged.some((line) => line.includes("could not check what redis holds") && line.includes(policy));

  test("is named in the log while it runs, and no server starts on it", async () => {
    await redis.config("SET", "maxmemory-policy", "allkeys-lru");
    try {
      await expect.poll(isNamed("allkeys-lru"), WITHIN).toBe(true);
      // Its data are there, and so is whoever is signed in.
      expect(await isReady()).toBe(true);
      const starting = createWorld({ stores: "redis", settings: { REDIS_URL: server.url } });
      await expect(starting).rejects.toThrow(/allkeys-lru.*CONFIG SET maxmemory-policy noeviction/);
    } finally {
      await redis.config("SET", "maxmemory-policy", "noeviction");
    }
  });

  test("and takes the place of the one that there was lets nobody in until it is mended", async () => {
    const other = await startRedis(["--maxmemory-policy", "volatile-ttl"]);
    const direct = new Redis(other.url);
    onTestFinished(async () => {
      cable.redirect(server.url);
      await expect.poll(isReady, WITHIN).toBe(true);
      direct.disconnect();
      await other.stop();
    });
    cable.redirect(other.url);
    await expect.poll(isNamed("volatile-ttl"), WITHIN).toBe(true);
    expect(await isReady()).toBe(false);
    expect((await world.openBrowser().fetch((await world.apps.notesWeb.begin()).url)).status).toBe(503);
    await direct.config("SET", "maxmemory-policy", "noeviction");
    await expect.poll(isReady, WITHIN).toBe(true);
    await expect(world.apps.notesWeb.signIn(world.openBrowser(), alice)).resolves.toBeDefined();
  });
});
