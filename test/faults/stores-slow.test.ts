/**
 * Stores that are slow, and stores whose host vanishes: nothing is closed, and nothing comes any more.
 *
 * | fault | what has to be | figure |
 * |---|---|---|
 * | Redis answers 300 ms late | everything works, as slowly | every refresh is 200 |
 * | Redis answers later than its deadline of 800 ms | as when it hangs; what it did all the same is not done twice | no family forks |
 * | the host of a store is gone, and another has its address | connections to the old one are given up | back within 5 s |
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { alice } from "../support/cast.ts";
import { askNode } from "../support/raw-http.ts";
import { createWorld, type World } from "../support/world.ts";
import { FAULT_TIMEOUT_MS, printFigure, times } from "./counts.ts";
import { percentileMs } from "./load.ts";
import { type FaultyNode, startFaultyNode } from "./nodes.ts";
import { askForTokens, refreshUntilAnswered } from "./refreshing-app.ts";
import { laySlowCable, type SlowCable } from "./slow-cable.ts";

const SLOW_ROUNDS = times({ short: 3, full: 30 });
const VANISHINGS = times({ short: 1, full: 10 });
const ANSWER_MS_MAX = times({ short: 3_000, full: 1_500 });
/** So many waits in a row has a refresh with an opaque access token: to read, to keep that, to rotate. */
const ROUND_TRIPS = 3;
const [SLOW_MS, WITHIN_MS, BEYOND_MS] = [300, 600, 1_000];
const SLACK_MS = times({ short: 1_500, full: 500 });
const RECOVERY_MS_MAX = 5_000;

describe("a node whose stores are slow", () => {
  let world: World;
  let redis: SlowCable;
  let postgres: SlowCable;
  let node: FaultyNode;
  beforeAll(async () => {
    world = await createWorld({ stores: "redis" });
  });
  afterAll(() => world.close());
  // One of its own for each: it gives up a connection that was too slow a moment later, when the next test has begun.
  beforeEach(async () => {
    const { DATABASE_URL = "", REDIS_URL = "" } = world.latchkey.settings;
    [postgres, redis] = [await laySlowCable(DATABASE_URL), await laySlowCable(REDIS_URL)];
    node = await startFaultyNode({ ...world.latchkey.settings, DATABASE_URL: postgres.url, REDIS_URL: redis.url });
  });
  afterEach(async () => {
    await node.stop();
    await Promise.all([postgres.close(), redis.close()]);
  });

  const newFamily = async (): Promise<string> =>
    (await world.apps.notesWeb.signIn(world.openBrowser(), alice)).refreshToken;
  const endpoint = () => ({ url: `${node.origin}/token`, host: new URL(world.latchkey.issuer).host });

  test("redis within its deadlines: works as slowly", { timeout: FAULT_TIMEOUT_MS }, async () => {
    let refreshToken = await newFamily();
    redis.delayAnswers(SLOW_MS);
    try {
      const tookMs: number[] = [];
      for (let round = 0; round < SLOW_ROUNDS; round += 1) {
        const startedAtMs = performance.now();
        const form = { grant_type: "refresh_token", client_id: "notesWeb", refresh_token: refreshToken };
        const { status, body } = await askForTokens(endpoint(), form);
        expect(status).toBe(200);
        refreshToken = body.refresh_token ?? "";
        tookMs.push(performance.now() - startedAtMs);
      }
      expect((await fetch(`${node.origin}/health/ready`)).status).toBe(200);
      expect(Math.min(...tookMs)).toBeGreaterThan(ROUND_TRIPS * SLOW_MS);
      const p50 = percentileMs(
        tookMs.map((one) => ({ tookMs: one })),
        0.5,
      );
      printFigure(`redis slow by ${SLOW_MS} ms: ${SLOW_ROUNDS} of ${SLOW_ROUNDS} refreshes succeeded, p50 ${p50} ms`);
    } finally {
      redis.delayAnswers(0);
    }
  });

  test(
    "redis beyond them: answers 503, and what Redis did all the same forks no family",
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      let refreshToken = await newFamily();
      for (let round = 0; round < SLOW_ROUNDS; round += 1) {
        const form = { grant_type: "refresh_token", client_id: "notesWeb", refresh_token: refreshToken };
        const isBeyond = round % 2 === 0;
        redis.delayAnswers(isBeyond ? BEYOND_MS : WITHIN_MS);
        const startedAtMs = performance.now();
        const { status, body: told } = await askForTokens(endpoint(), form);
        const tookMs = performance.now() - startedAtMs;
        expect(isBeyond ? [503] : [200, 503]).toContain(status);
        expect(tookMs).toBeLessThan(isBeyond ? ANSWER_MS_MAX : ROUND_TRIPS * WITHIN_MS + SLACK_MS);
        redis.delayAnswers(0);
        await expect
          .poll(async () => (await fetch(`${node.origin}/health/ready`)).status, { timeout: 10_000 })
          .toBe(200);
        const successor = await refreshUntilAnswered(endpoint, form);
        expect(told.refresh_token ?? successor).toBe(successor);
        refreshToken = successor;
      }
      printFigure(
        `redis slow by ${WITHIN_MS} and ${BEYOND_MS} ms: ${SLOW_ROUNDS} refreshes, no fork, nobody signed out`,
      );
    },
  );

  test.each(["redis", "postgres"] as const)(
    "%s on a host that vanishes without a word: answers 503, and is back within 5 s of the new one",
    { timeout: FAULT_TIMEOUT_MS },
    async (store) => {
      const token = await newFamily();
      const read = (path: string) => askNode(node.origin + path, { headers: { host: endpoint().host } });
      const isBack = async (): Promise<boolean> => {
        const form = { grant_type: "refresh_token", client_id: "notesWeb", refresh_token: token };
        const answers = [
          await askForTokens(endpoint(), form),
          await read("/health/ready"),
          await read("/authorize?client_id=x"),
        ];
        return answers.every(({ status }) => status === 200 || status === 400);
      };
      expect(await isBack()).toBe(true);
      const lateMs: number[] = [];
      for (let round = 0; round < VANISHINGS; round += 1) {
        (store === "redis" ? redis : postgres).abandon();
        const vanishedAtMs = performance.now();
        await expect.poll(isBack, { timeout: 30_000, interval: 20 }).toBe(true);
        lateMs.push(performance.now() - vanishedAtMs);
      }
      expect(Math.max(...lateMs)).toBeLessThan(RECOVERY_MS_MAX);
      printFigure(
        `${store} on a host that vanished, ${VANISHINGS} times: back after ${Math.round(Math.max(...lateMs))} ms at most`,
      );
    },
  );
});
