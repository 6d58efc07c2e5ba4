/**
 * Redis down or hung, under load, with the server as a process of its own.
 *
 * | fault | what has to be | figure |
 * |---|---|---|
 * | down (the process is gone) | what needs it is 503 with Retry-After; metadata, keys and liveness are 200; not ready | p99 under 1.5 s; no sign-in and no refresh; back within 5 s |
 * | hung (SIGSTOP) | the same | the same |
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice, bob, type Person } from "../support/cast.ts";
import { submitSignIn } from "../support/journeys.ts";
import { FAULT_TIMEOUT_MS, printFigure, times } from "./counts.ts";
import { deploy, type Deployment } from "./deployment.ts";
import { hangRedis } from "./hung-server.ts";
import { type Answered, type Load, percentileMs, startLoad, statusesOf } from "./load.ts";
import { type PersistentRedis, startPersistentRedis } from "./persistent-redis.ts";
import { openFamilies } from "./refreshing-app.ts";

const AWAY_MS = times({ short: 2_500, full: 20_000 });
const APPS = times({ short: 6, full: 20 });
/** The machine that tests run on has other things to do; the full counts hold it to what we promise. */
const P99_MS_MAX = times({ short: 3_000, full: 1_500 });
const RECOVERY_MS_MAX = 5_000;

const isRight = (status: number): boolean => status < 400;

describe("a node whose Redis is away", () => {
  let redis: PersistentRedis;
  let deployment: Deployment;
  beforeAll(async () => {
    redis = await startPersistentRedis();
    deployment = await deploy({ stores: "redis", redisUrl: redis.url, nodes: 1, issuerIs: "balanced" });
  });
  afterAll(async () => {
    await deployment.close();
    await redis.close();
  });

  const FAULTS = {
    down: async () => {
      await redis.stop();
      return () => redis.start();
    },
    hung: async () => {
      const hung = await hangRedis(redis);
      return async () => hung.resume();
    },
  } as const;

  const isAway = { now: false };

  /** People who refresh, people who sign in, and those who only read what is published. */
  async function startPeople(): Promise<Load> {
    const { world, nodes } = deployment;
    const { issuer } = world.latchkey;
    const { notesWeb } = world.apps;
    const refreshing = (await openFamilies(world, APPS)).map((first) => {
      let refreshToken = first;
      return async (): Promise<Answered> => {
        const answer = await notesWeb.requestRefresh(refreshToken);
        const body = (await answer.json()) as { readonly refresh_token?: string };
        refreshToken = body.refresh_token ?? refreshToken;
        return answer;
      };
    });
    const openPage = async () => world.openBrowser().open((await notesWeb.begin()).url);
    const waiting = world.openBrowser();
    const form = await waiting.open((await notesWeb.begin()).url);
    // Whoever has the page before them when Redis goes away; until then nobody presses the button.
    const signIn = (): Promise<Answered> =>
      isAway.now ? waiting.submit(form, form.formWith("password"), { values: typed(bob) }) : openPage();
    const read = (url: string) => async (): Promise<Answered> => {
      const answer = await fetch(url);
      await answer.arrayBuffer();
      return answer;
    };
    return startLoad({
      refresh: refreshing,
      "sign-in": [signIn],
      authorize: [openPage],
      published: ["/.well-known/openid-configuration", "/jwks", "/health/live"].map((path) => read(issuer + path)),
      ready: [read(`${nodes[0]?.origin ?? ""}/health/ready`)],
    });
  }
  const typed = ({ email, password }: Person) => ({ email, password });

  test.each(["down", "hung"] as const)(
    "%s: answers 503 with Retry-After within the second, serves what is published, and is back within 5 s",
    { timeout: FAULT_TIMEOUT_MS },
    async (fault) => {
      const load = await startPeople();
      try {
        await expect.poll(() => load.answers.length, { timeout: 20_000 }).toBeGreaterThan(50);
        const mend = await FAULTS[fault]();
        isAway.now = true;
        const brokenAtMs = performance.now();
        await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
        const mendedAtMs = performance.now();
        isAway.now = false;
        await mend();
        const isBack = (what: string): boolean =>
          load.answers.some((one) => one.what === what && one.startedAtMs > mendedAtMs && isRight(one.status));
        await expect.poll(() => ["refresh", "ready"].every(isBack), { timeout: 20_000, interval: 10 }).toBe(true);
        const backAfterMs = performance.now() - mendedAtMs;
        const away = load.between(brokenAtMs, mendedAtMs);
        const of = (...whats: readonly string[]) => away.filter(({ what }) => whats.includes(what));
        const needy = of("refresh", "sign-in", "authorize");
        expect(needy.length).toBeGreaterThan(APPS);
        expect(statusesOf(needy)).toEqual({ 503: needy.length });
        expect(needy.filter(({ retryAfter }) => !(retryAfter > 0))).toEqual([]);
        expect(statusesOf(of("published"))).toEqual({ 200: of("published").length });
        expect(statusesOf(of("ready"))).toEqual({ 503: of("ready").length });
        expect(percentileMs(needy)).toBeLessThan(P99_MS_MAX);
        expect(backAfterMs).toBeLessThan(RECOVERY_MS_MAX);
        const { world } = deployment;
        const again = world.openBrowser();
        const page = await submitSignIn(again, await again.open(`${world.latchkey.issuer}/sign-in`), alice);
        expect(page.url.pathname).toBe("/account");
        printFigure(
          `redis ${fault} for ${AWAY_MS} ms under ${APPS} apps: ${needy.length} answers, all 503, ` +
            `p50 ${percentileMs(needy, 0.5)} ms, p99 ${percentileMs(needy)} ms; ` +
            `${of("published").length} of what is published, p99 ${percentileMs(of("published"))} ms; ` +
            `back after ${Math.round(backAfterMs)} ms`,
        );
      } finally {
        await load.stop();
      }
      // Nobody was signed out by it: what each app holds still works.
      const last = load.answers.filter(({ what }) => what === "refresh").slice(-APPS);
      expect(statusesOf(last)).toEqual({ 200: APPS });
    },
  );
});
