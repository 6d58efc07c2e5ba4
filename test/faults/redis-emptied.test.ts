/**
 * Redis that loses what it had. Sessions end, which is what Redis held; nothing that had ended or was used up comes back.
 *
 * | fault | what has to be | figure |
 * |---|---|---|
 * | FLUSHALL while everybody refreshes | no refresh token, cookie, code or pushed request from before works; within a beat (10 s) every access token from before is refused | 0 revived |
 * | restart without persistence | the same, at once | 0 revived |
 * | either | a code of an authenticator app that was used stays used, a pause after wrong codes goes on, a throttled account stays so | 0 accepted |
 *
 * What services hear of it is in feed-without-redis.test.ts; a Redis that comes back from an old file, too.
 */
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { enrollPerson, type EnrolledPerson, submitCode } from "../flow/mfa/people.ts";
import { alice, bob, mallory } from "../support/cast.ts";
import { authorizeAs, submitSignIn } from "../support/journeys.ts";
import { type ReplaceableRedis, startReplaceableRedis } from "../support/replaceable-redis.ts";
import { addService, type Caller, ordersService, post } from "../support/services.ts";
import { createWorld, type World } from "../support/world.ts";
import { FAULT_TIMEOUT_MS, printFigure, times } from "./counts.ts";
import { startLoad } from "./load.ts";
import { openFamilies } from "./refreshing-app.ts";
import { createTokenSource, listUsable } from "./revocation-load.ts";

const ROUNDS = times({ short: 1, full: 20 });
const APPS = times({ short: 8, full: 16 });
/** A beat, with what a busy machine takes beyond it. */
const WITHIN = { timeout: 25_000, interval: 50 };
const ATTEMPTS_MAX = 10;

let store: ReplaceableRedis;
let world: World;
let orders: Caller;
beforeAll(async () => {
  store = await startReplaceableRedis();
  world = await createWorld({ stores: "redis", settings: { REDIS_URL: store.url, TRUSTED_PROXIES: "1" } });
  orders = await addService(world.latchkey, ordersService);
});
afterAll(async () => {
  await world.close();
  await store.close();
});

const isReady = async (): Promise<boolean> => (await fetch(`${world.latchkey.issuer}/health/ready`)).ok;

const LOSSES = {
  "FLUSHALL under load": async () => {
    const redis = new Redis(store.url);
    await redis.flushall();
    redis.disconnect();
  },
  "a restart without persistence": () => store.replace(),
} as const;

/** Somebody's code is used, somebody else's are paused, and an account is throttled. */
async function useUpLimits() {
  const [holder, guessed] = [await enrollPerson(world), await enrollPerson(world)];
  const { factors, accounts } = world.latchkey;
  const source = { address: "198.51.100.7", requestId: "request-1" };
  const code = holder.app.code();
  expect(await factors.totp.verify(holder.id, { code, source })).toMatchObject({ outcome: "accepted" });
  for (let count = 0; count < 5; count += 1) {
    await factors.totp.verify(guessed.id, { code: guessed.app.wrongCode(), source });
  }
  for (let count = 0; count < ATTEMPTS_MAX; count += 1) {
    const from = { address: `192.0.2.${count}`, requestId: "request-1" };
    const attempt = accounts.signIn({ email: mallory.email, password: `wrong ${count}`, source: from });
    // One that there was no room to hash counts as well.
    await attempt.catch(() => undefined);
  }
  return { holder, code, guessed };
}

async function signInHalf(person: EnrolledPerson, code: string): Promise<number> {
  const browser = world.openBrowser({ "x-forwarded-for": "198.51.100.8" });
  const page = await browser.open((await world.apps.notesWeb.begin()).url);
  return (await submitCode(browser, await submitSignIn(browser, page, person), code)).status;
}

describe.each(Object.keys(LOSSES) as (keyof typeof LOSSES)[])("%s", (loss) => {
  test(
    "ends sessions, revives nothing, and leaves used codes used and limits as they were",
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      const source = createTokenSource(world);
      const revived: string[] = [];
      const limits = await useUpLimits();
      for (let round = 0; round < ROUNDS; round += 1) {
        const [signedIn, signedOut] = [await source.signIn(alice), await source.signIn(bob)];
        await source.endSession(signedOut);
        const request = await world.apps.notesWeb.begin();
        const { url: callback } = await authorizeAs(signedIn.browser, alice, request.url);
        const pushed = await world.apps.bankWeb.beginPushed();
        const families = await openFamilies(world, APPS);
        const held = new Map(families.map((token, app) => [app, token]));
        const refresh = async (app: number): Promise<Response> => {
          const answer = await world.apps.notesWeb.requestRefresh(held.get(app) ?? "");
          const { refresh_token: next } = (await answer.json()) as { readonly refresh_token?: string };
          if (next !== undefined) held.set(app, next);
          return answer;
        };
        const load = startLoad({ refresh: families.map((_, app) => () => refresh(app)) });
        await expect.poll(() => load.answers.length, WITHIN).toBeGreaterThan(APPS * 2);
        await LOSSES[loss]();
        const lostAtMs = performance.now();
        await expect.poll(isReady, WITHIN).toBe(true);
        const isRefused = (): boolean =>
          load.answers.some(({ status, startedAtMs }) => status === 400 && startedAtMs > lostAtMs);
        await expect.poll(isRefused, WITHIN).toBe(true);
        await load.stop();
        // Asked for after the loss and given all the same.
        revived.push(
          ...load
            .between(lostAtMs, Infinity)
            .filter(({ status }) => status === 200)
            .map(() => "family"),
        );
        for (const app of held.keys()) if ((await refresh(app)).ok) revived.push("refresh token");
        revived.push(...(await listUsable(world, signedIn)), ...(await listUsable(world, signedOut)));
        if ((await world.apps.notesWeb.redeem(request, callback)).ok) revived.push("code");
        const { heading } = await world.openBrowser().open(pushed.url);
        if (heading === "Sign in") revived.push("pushed request");
        const isActive = async (): Promise<unknown> => {
          const parameters = { token: signedIn.tokens.accessToken };
          const { body } = await post(world.latchkey, "/introspect", { caller: orders, parameters });
          return (body as { readonly active: boolean }).active;
        };
        await expect.poll(isActive, WITHIN).toBe(false);
        await expect.poll(isReady, WITHIN).toBe(true);
      }
      expect(revived).toEqual([]);
      expect(await signInHalf(limits.holder, limits.code)).toBe(400);
      expect(await signInHalf(limits.guessed, limits.guessed.app.code())).toBe(429);
      const throttled = world.openBrowser({ "x-forwarded-for": "198.51.100.9" });
      const page = await throttled.open(`${world.latchkey.issuer}/sign-in`);
      expect((await submitSignIn(throttled, page, mallory)).status).toBe(429);
      printFigure(`${loss}, ${ROUNDS} times under ${APPS} apps: 0 revived; used code, pause and throttle hold`);
    },
  );
});
