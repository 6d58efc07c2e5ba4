import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice, bob, mallory } from "../support/cast.ts";
import type { Stores } from "../support/latchkey.ts";
import { FAULT_TIMEOUT_MS, times } from "./counts.ts";
import { deploy, type Deployment } from "./deployment.ts";
import { checkHistory, measureLatestAcceptanceMs } from "./history/check-history.ts";
import type { History, RecordedRevocation } from "./history/history.ts";
import { injectFaults } from "./history/injector.ts";
import { livePerson } from "./history/person.ts";
import { createRandom, type Random } from "./history/random.ts";
import { createRecorder } from "./history/recorder.ts";
import { explain, summarize } from "./history/report.ts";
import { type NamedService, type Scene, verifyAt } from "./history/scene.ts";
import { readRecords, tryEverything, waitUntilHealed } from "./history/verdict.ts";
import { startListening } from "./listening-service.ts";
import { type PersistentRedis, startPersistentRedis } from "./persistent-redis.ts";

/** `HISTORY_SEED=…` draws the same faults and steps once more; how they fall together is the machine's. */
const SEED = Number(process.env["HISTORY_SEED"] ?? randomInt(2 ** 31));
const ROUNDS = times({ short: 1, full: 5 });
const ROUND_MS = times({ short: 5_000, full: 55_000 });
const PEOPLE = times({ short: 6, full: 10 });
const NODES = 3;
const STALE_AFTER_MS = 3_000;
const VERIFY_EVERY_MS = 4;
/** Of which tokens services are shown one again and again: the latest ones, among them those that end just now. */
const RECENT_TOKENS = 60;
const ON_STALE = ["introspect", "reject", "accept", "introspect"] as const;

describe.each<Stores>(["redis", "postgres"])(`a history of ${NODES} nodes on %s, seed ${SEED}`, (stores) => {
  let redis: PersistentRedis | undefined;
  let deployment: Deployment;
  let services: readonly NamedService[];
  beforeAll(async () => {
    redis = stores === "redis" ? await startPersistentRedis() : undefined;
    deployment = await deploy({ stores, redisUrl: redis?.url, nodes: NODES, issuerIs: "balanced" });
    services = await Promise.all(ON_STALE.map((onStale, place) => startService(onStale, place)));
    // They allow what the app asks for, once and for all rounds.
    for (const person of [alice, bob, mallory]) {
      await deployment.world.apps.shopWeb.signIn(deployment.world.openBrowser(), person, {
        scope: "openid orders:read",
      });
    }
  });
  afterAll(async () => {
    for (const service of services) await service.close();
    await deployment.close();
    await redis?.close();
  });

  /** It listens to one node and asks the next one. */
  async function startService(onStale: NamedService["onStale"], place: number): Promise<NamedService> {
    const originOf = (turn: number): string => deployment.nodes[turn % NODES]?.origin ?? "";
    const where = { feedOrigin: originOf(place), restOrigin: originOf(place + 1) };
    const service = await startListening(deployment, { onStale, staleAfterMs: STALE_AFTER_MS, ...where });
    return { ...service, onStale, name: `service ${place} (${onStale})` };
  }

  /** Shows the service what somebody has got a moment ago, as fast as it answers. */
  async function keepVerifying(scene: Scene, service: NamedService, random: Random): Promise<void> {
    while (scene.goesOn()) {
      const recent = scene.tokens.slice(-RECENT_TOKENS);
      const token = recent[random.below(recent.length)];
      if (token !== undefined) await verifyAt(scene, service, token);
      await delay(VERIFY_EVERY_MS);
    }
  }

  async function passRound(random: Random, before: readonly RecordedRevocation[]) {
    const recorder = createRecorder();
    const endsAtMs = recorder.now() + ROUND_MS;
    const hasEndings = (): boolean => recorder.calls.some(({ type }) => type === "ending");
    // On a busy machine it may take longer until something ends.
    const goesOn = (): boolean => recorder.now() < endsAtMs || !hasEndings();
    const scene: Scene = { deployment, services, recorder, tokens: [], goesOn };
    const people = Array.from({ length: PEOPLE }, () => livePerson(scene, random.fork()));
    const verifying = services.map((service) => keepVerifying(scene, service, random.fork()));
    const faults = injectFaults({ scene, redis }, random.fork());
    const [signIns] = await Promise.all([Promise.all(people), Promise.all(verifying), faults]);
    await waitUntilHealed(scene);
    // Before the trial, which may itself end something: a refresh token that was forked is a stolen one.
    const records = [...before, ...(await readRecords(deployment, before.at(-1)?.id ?? 0))];
    await tryEverything(scene, signIns.flat(), random);
    return { calls: recorder.calls, records, faults: await faults, signIns: signIns.flat() };
  }

  test(
    `of ${ROUNDS} rounds of ${ROUND_MS / 1_000} s under faults shows no token accepted, used or living that may not be`,
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      const random = createRandom(SEED);
      let known: readonly RecordedRevocation[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const { calls, records, faults, signIns } = await passRound(random.fork(), known);
        known = records;
        const history: History = { calls, records, staleAfterMs: STALE_AFTER_MS };
        const lateMs = Math.round(measureLatestAcceptanceMs(history));
        const counts = `${signIns.length} sign-ins, ${faults.length} faults; ${summarize(history)}`;
        process.stdout.write(
          `${stores}, seed ${SEED}, round ${round}: ${counts}; accepted ${lateMs} ms late at the most\n`,
        );
        expect(explain(checkHistory(history), history, faults), `seed ${SEED}`).toEqual([]);
        // A store that keeps what it acknowledged is never taken for one that was lost.
        expect(records.filter(({ kind }) => kind === "epoch")).toEqual([]);
        expect(calls.filter(({ type }) => type === "ending").length).toBeGreaterThan(0);
      }
    },
  );
});
