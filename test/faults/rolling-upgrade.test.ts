import { AsyncLocalStorage } from "node:async_hooks";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice, bob } from "../support/cast.ts";
import { newSecret } from "../support/latchkey.ts";
import { createEmptyDatabase, createTestRedis, type TestStore } from "../support/stores.ts";
import { FAULT_TIMEOUT_MS, times } from "./counts.ts";
import { type EarlierVersion, installEarlier, type InstalledVersion, LATEST, OLDEST } from "./earlier-version.ts";
import { type FaultyNode, startFaultyNode } from "./nodes.ts";
import { type ProbingBalancer, startProbingBalancer } from "./probing-balancer.ts";
import { startLoad } from "./upgrade-load.ts";
import { openScene, runCommand, type Scene, settle, type SignedIn } from "./upgrade-scene.ts";

const HERE = join(import.meta.dirname, "../..");
const NODES = 2;
/** Under load, before and after each thing that is done. */
const PAUSE_MS = times({ short: 500, full: 10_000 });
/** Forward to this version, and where the earlier one can, back to it and forward again. */
const ROUNDS = times({ short: 1, full: 3 });
const EARLIER = times({ short: 1, full: 2 }) === 1 ? [OLDEST] : [OLDEST, LATEST];

describe.each(EARLIER)("an upgrade from $commit under load", (earlier: EarlierVersion) => {
  let installed: InstalledVersion;
  let stores: readonly TestStore[] = [];
  let balancer: ProbingBalancer;
  let settings: Readonly<Record<string, string>>;
  let nodes: readonly FaultyNode[] = [];
  let scene: Scene;
  beforeAll(async () => {
    installed = await installEarlier(earlier);
    const [database, redis] = [await createEmptyDatabase(), await createTestRedis()];
    stores = [database, redis];
    balancer = await startProbingBalancer();
    settings = {
      ISSUER: balancer.origin.replace("127.0.0.1", "localhost"),
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      LATCHKEY_SECRET: newSecret(),
      LOG_LEVEL: "warn",
      TRUSTED_PROXIES: "1",
    };
    const { folder } = installed;
    const secrets = await settle({ folder, settings });
    nodes = await Promise.all(Array.from({ length: NODES }, () => startFaultyNode(settings, folder)));
    await Promise.all(nodes.map((node) => balancer.add(node)));
    scene = await openScene({
      issuer: settings["ISSUER"] ?? "",
      secrets,
      originOf: () => chosen.getStore() ?? balancer.origin,
    });
  }, FAULT_TIMEOUT_MS);
  afterAll(async () => {
    await scene?.close();
    for (const node of nodes) await node.stop();
    await balancer?.close();
    for (const store of stores) await store.drop();
    await installed?.remove();
  });

  /** Where requests go instead of through the balancer. */
  const chosen = new AsyncLocalStorage<string>();
  const at = <Result>({ origin }: FaultyNode, work: () => Promise<Result>): Promise<Result> => chosen.run(origin, work);

  /** What one of the two gave out, the other accepts. */
  async function crossOver(giver: FaultyNode, taker: FaultyNode): Promise<void> {
    const signedIn = await at(giver, () => scene.signIn(alice));
    const { accessToken } = signedIn.tokens;
    const code = await at(giver, () => scene.askForCode(signedIn));
    const ownToken = await at(giver, () => scene.requestOwnToken());
    await at(taker, async () => {
      await scene.introspect(accessToken);
      await scene.introspect(ownToken);
      await scene.refresh(signedIn);
      signedIn.tokens = await code.redeem();
      await scene.signInSilently(signedIn);
    });
    await at(giver, () => scene.refresh(signedIn));
  }

  /** One after the other: a new one is added, an old one taken out and told to stop. In between both versions run. */
  async function replaceAll(folder: string): Promise<void> {
    for (const old of nodes) {
      const next = await startFaultyNode(settings, folder);
      nodes = [...nodes, next];
      await balancer.add(next);
      await delay(PAUSE_MS);
      await crossOver(old, next);
      await crossOver(next, old);
      await balancer.takeOut(old);
      expect(await old.stop(), old.output()).toBe(0);
      nodes = nodes.filter((node) => node !== old);
      await delay(PAUSE_MS);
    }
  }

  async function checkUntouched(signedIn: SignedIn): Promise<void> {
    await scene.signInSilently(signedIn);
    await scene.introspect(signedIn.tokens.accessToken);
  }

  test(
    "fails no request, and what either version gave out is used at the other",
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      const people: SignedIn[] = [];
      for (let count = 0; count < 10; count += 1) people.push(await scene.signIn(count % 2 === 0 ? alice : bob));
      const [sessionBefore, tokenBefore] = [await scene.signIn(alice), await scene.signIn(bob)];
      const [startedAt, countBefore] = [performance.now(), scene.requestCount()];
      const load = startLoad(scene, people);
      await delay(PAUSE_MS);
      const plan = JSON.parse(await runCommand({ folder: HERE, settings }, ["plan"])) as {
        readonly sideBySide: string;
      };
      expect(plan).toMatchObject({ sideBySide: "yes" });
      await runCommand({ folder: HERE, settings }, ["migrate"]);
      await delay(PAUSE_MS);
      await replaceAll(HERE);
      for (let round = 1; round < ROUNDS && earlier.canComeBack; round += 1) {
        await replaceAll(installed.folder);
        await replaceAll(HERE);
      }
      await load.stop();
      const [seconds, requests] = [(performance.now() - startedAt) / 1_000, scene.requestCount() - countBefore];
      const rate = `${Math.round(requests / seconds)} requests/s`;
      process.stdout.write(
        `from ${earlier.commit.slice(0, 7)}: ${requests} requests in ${Math.round(seconds)} s (${rate}), ${load.failures.length} failed\n`,
      );
      expect(load.failures).toEqual([]);
      expect(requests / seconds).toBeGreaterThan(25);
      await checkUntouched(sessionBefore);
      await scene.refresh(tokenBefore);
      await scene.introspect(tokenBefore.tokens.accessToken);
    },
  );
});
