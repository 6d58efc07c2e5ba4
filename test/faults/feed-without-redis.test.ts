import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { beforeEach, describe, expect, test } from "vitest";
import { alice, bob } from "../support/cast.ts";
import { type ReplaceableRedis, startReplaceableRedis } from "../support/replaceable-redis.ts";
import { FAULT_TIMEOUT_MS, times } from "./counts.ts";
import { deploy, type Deployment } from "./deployment.ts";
import { type ListeningService, startListening } from "./listening-service.ts";
import { type PersistentRedis, startPersistentRedis } from "./persistent-redis.ts";
import { createTokenSource, listUsable, type SignedIn, type TokenSource } from "./revocation-load.ts";

const ROUNDS = times({ short: 1, full: 10 });
const TIMEOUT = { timeout: FAULT_TIMEOUT_MS };
const WITHIN = { timeout: 25_000, interval: 20 };
const HEARD = { timeout: 5_000, interval: 5 };
/** A token issued so soon after a new epoch is refused with those before it. */
const EPOCH_TOLERANCE_MS = 6_000;

let deployment: Deployment;
let source: TokenSource;

/** One that accepts while it is stale, at each of the nodes: whatever they refuse they have heard of. */
async function listenAtEveryNode(): Promise<readonly ListeningService[]> {
  const services: ListeningService[] = [];
  for (const { origin } of deployment.nodes) {
    services.push(await startListening(deployment, { onStale: "accept", feedOrigin: origin, restOrigin: origin }));
  }
  return services;
}

const verifyEverywhere = (services: readonly ListeningService[], { tokens }: SignedIn): Promise<readonly string[]> =>
  Promise.all(services.map((service) => service.verify(tokens.accessToken)));

async function isEveryNodeReady(): Promise<boolean> {
  const origins = [`http://127.0.0.1:${deployment.world.latchkey.settings.PORT}`];
  origins.push(...deployment.nodes.map(({ origin }) => origin));
  const answers = await Promise.all(origins.map((origin) => fetch(`${origin}/health/ready`).then(({ ok }) => ok)));
  return answers.every(Boolean);
}

async function readFeedRow(): Promise<{ readonly epoch: number; readonly beat: number }> {
  const { rows } = await sql<{ epoch: string; beat: string }>`select epoch, beat from revocation_feed`.execute(
    deployment.world.latchkey.database.db,
  );
  return { epoch: Number(rows[0]?.epoch), beat: Number(rows[0]?.beat) };
}

describe("what services hear when Redis restarts with everything that it had", () => {
  let redis: PersistentRedis;
  let services: readonly ListeningService[];
  beforeEach(async () => {
    redis = await startPersistentRedis();
    deployment = await deploy({ stores: "redis", redisUrl: redis.url });
    source = createTokenSource(deployment.world);
    services = await listenAtEveryNode();
    return async () => {
      for (const service of services) await service.close();
      await deployment.close();
      await redis.close();
    };
  });

  test("is what ends meanwhile, at once; nobody else is signed out, and who was ended stays so", TIMEOUT, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [ofAlice, ofBob] = [await source.signIn(alice), await source.signIn(bob)];
      const { epoch } = await readFeedRow();
      await redis.stop();
      await source.endSession(ofAlice);
      await expect.poll(() => verifyEverywhere(services, ofAlice), HEARD).toEqual(["token_revoked", "token_revoked"]);
      // Heartbeats come from Postgres, and nobody is stale for Redis' sake.
      expect(services.map(({ verifier }) => verifier.status().revocations)).toEqual(["live", "live"]);
      await redis.start();
      await expect.poll(isEveryNodeReady, WITHIN).toBe(true);
      await expect.poll(() => listUsable(deployment.world, ofAlice), WITHIN).toEqual([]);
      expect(await listUsable(deployment.world, ofBob)).toEqual(["cookie", "refresh token"]);
      expect(await verifyEverywhere(services, ofBob)).toEqual(["accepted", "accepted"]);
      expect((await readFeedRow()).epoch).toBe(epoch);
    }
  });
});

describe("when Redis is replaced", () => {
  let redis: ReplaceableRedis;
  let services: readonly ListeningService[];
  beforeEach(async () => {
    redis = await startReplaceableRedis();
    deployment = await deploy({ stores: "redis", redisUrl: redis.url });
    source = createTokenSource(deployment.world);
    services = await listenAtEveryNode();
    return async () => {
      for (const service of services) await service.close();
      await deployment.close();
      await redis.close();
    };
  });

  const stateOf = ({ verifier }: ListeningService): string => verifier.status().revocations;

  test(
    "by an empty one every token from before is refused, also those of sessions that nobody ended",
    TIMEOUT,
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const [ofAlice, ofBob] = [await source.signIn(alice), await source.signIn(bob)];
        const service = await source.issue();
        expect(await verifyEverywhere(services, ofBob)).toEqual(["accepted", "accepted"]);
        await redis.replace();
        await expect.poll(isEveryNodeReady, WITHIN).toBe(true);
        for (const listener of services) {
          for (const token of [ofAlice.tokens.accessToken, ofBob.tokens.accessToken, service]) {
            await expect.poll(() => listener.verify(token), HEARD).toBe("token_revoked");
          }
        }
        expect(await listUsable(deployment.world, ofBob)).toEqual([]);
        // The epoch ends the listeners' own tokens, too, and for some seconds refuses what is issued after it.
        await delay(EPOCH_TOLERANCE_MS);
        const again = await source.signIn(bob);
        await expect.poll(() => services.map(stateOf), WITHIN).toEqual(["live", "live"]);
        expect(await verifyEverywhere(services, again)).toEqual(["accepted", "accepted"]);
        expect(await verifyEverywhere(services, ofBob)).toEqual(["token_revoked", "token_revoked"]);
      }
    },
  );

  test("by an older copy of itself nobody is signed in again who signed out since", TIMEOUT, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [ofAlice, ofBob] = [await source.signIn(alice), await source.signIn(bob)];
      const saved = await redis.save();
      await source.endSession(ofAlice);
      await redis.replace(saved);
      await expect.poll(isEveryNodeReady, WITHIN).toBe(true);
      expect(await listUsable(deployment.world, ofAlice)).toEqual([]);
      for (const listener of services) {
        await expect.poll(() => listener.verify(ofAlice.tokens.accessToken), HEARD).toBe("token_revoked");
      }
      // Bob's cookie may live: the copy knew him, and nobody ended it.
      expect(await listUsable(deployment.world, ofBob)).toContain("cookie");
    }
  });

  // The mark that is compared moves every ten seconds: too long for the short round.
  if (times({ short: 0, full: 1 }) === 0) return;
  test("by one that is older than two beats a new epoch begins as well", TIMEOUT, async () => {
    const [ofAlice, ofBob] = [await source.signIn(alice), await source.signIn(bob)];
    const saved = await redis.save();
    const { beat, epoch } = await readFeedRow();
    await source.endSession(ofAlice);
    await expect
      .poll(async () => (await readFeedRow()).beat, { timeout: 60_000, interval: 200 })
      .toBeGreaterThan(beat + 1);
    await redis.replace(saved);
    await expect.poll(isEveryNodeReady, WITHIN).toBe(true);
    expect((await readFeedRow()).epoch).toBe(epoch + 1);
    for (const signedIn of [ofAlice, ofBob]) {
      await expect.poll(() => verifyEverywhere(services, signedIn), HEARD).toEqual(["token_revoked", "token_revoked"]);
    }
    expect(await listUsable(deployment.world, ofAlice)).toEqual([]);
    expect(await listUsable(deployment.world, ofBob)).toContain("cookie");
  });
});
