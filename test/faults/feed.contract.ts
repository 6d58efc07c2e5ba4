import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Stores } from "../support/latchkey.ts";
import { FAULT_TIMEOUT_MS, times } from "./counts.ts";
import { deploy, type Deployment, type WiredNode } from "./deployment.ts";
import { type ListeningOptions, type ListeningService, startListening } from "./listening-service.ts";
import { startReader } from "./paused-reader.ts";
import { createTokenSource, type TokenSource } from "./revocation-load.ts";

const RESTARTS = times({ short: 1, full: 60 });
const CUTS = times({ short: 5, full: 200 });
const ROUNDS = times({ short: 1, full: 8 });
/** A wire may say that it is broken, or go silent; the short round tries one of them a test. */
const VARIANTS = times({ short: 1, full: 2 });
const FEED_BREAKS = (["stall", "cut"] as const).slice(0, VARIANTS);
const STORE_BREAKS = (["cut", "stall"] as const).slice(0, VARIANTS);
const TIMEOUT = { timeout: FAULT_TIMEOUT_MS };

const STALE_AFTER_MS = 2_000;
/** What a busy machine may add to a timer. */
const SLACK_MS = 1_000;
/** A service that lost its node tries again after pauses that grow to five seconds. */
const RECONNECTED = { timeout: 25_000, interval: 20 };
const HEARD = { timeout: 5_000, interval: 2 };

const PAUSED_READERS = [
  { onStale: "introspect", ofRevoked: "token_revoked", ofLiving: "accepted" },
  { onStale: "reject", ofRevoked: "revocations_stale", ofLiving: "revocations_stale" },
] as const;

/** What is told, and what is not, through faults of nodes, wires and readers. */
export function describeFeedUnderFaults(stores: Stores): void {
  describe(`a service that listens to one of two nodes on ${stores}`, () => {
    let deployment: Deployment;
    let source: TokenSource;
    let [near, far]: WiredNode[] = [];
    beforeAll(async () => {
      deployment = await deploy({ stores });
      source = createTokenSource(deployment.world);
      [near, far] = deployment.nodes;
    });
    afterAll(() => deployment.close());

    async function listen(options: ListeningOptions): Promise<ListeningService> {
      const service = await startListening(deployment, { staleAfterMs: STALE_AFTER_MS, ...options });
      onTestFinished(() => service.close());
      return service;
    }

    /** One for each setting, all at the same node. */
    async function listenInEveryWay(where: Partial<ListeningOptions>) {
      const [introspecting, rejecting, accepting] = [
        await listen({ onStale: "introspect", ...where }),
        await listen({ onStale: "reject", ...where }),
        await listen({ onStale: "accept", ...where }),
      ];
      return { all: [introspecting, rejecting, accepting], introspecting, rejecting, accepting };
    }

    type EveryWay = Awaited<ReturnType<typeof listenInEveryWay>>;
    const stateOf = ({ verifier }: ListeningService): string => verifier.status().revocations;
    const statesOf = ({ all }: EveryWay): readonly string[] => all.map(stateOf);
    const answersOf = ({ all }: EveryWay, token: string): Promise<readonly string[]> =>
      Promise.all(all.map((service) => service.verify(token)));

    /** Of revocations that were acknowledged. The feed keeps their order: who has heard of a later one has heard of all. */
    async function listMissed(service: ListeningService, revoked: readonly string[]): Promise<readonly string[]> {
      const last = await source.issue();
      await source.revoke(last);
      await expect.poll(() => service.verify(last), HEARD).toBe("token_revoked");
      const answers = await Promise.all(revoked.map((token) => service.verify(token)));
      // A machine on which the faults take longer than tokens live is told of these no more.
      return answers.filter((answer) => answer !== "token_revoked" && answer !== "token_expired");
    }

    async function expectStaleInTime(services: EveryWay, brokenAt: number): Promise<void> {
      await expect.poll(() => statesOf(services), HEARD).toEqual(["stale", "stale", "stale"]);
      expect(performance.now() - brokenAt).toBeLessThan(STALE_AFTER_MS + SLACK_MS);
    }

    async function becomeLive(services: EveryWay): Promise<void> {
      await expect.poll(() => statesOf(services), RECONNECTED).toEqual(["live", "live", "live"]);
    }

    test.each(["killAndRestart", "stopAndRestart"] as const)(
      `misses none of the revocations that go on while its node is restarted ${RESTARTS} times (%s)`,
      TIMEOUT,
      async (restart) => {
        // One that accepts while it is stale: whatever it refuses it has heard of.
        const service = await listen({ onStale: "accept", feedOrigin: near?.origin ?? "" });
        const isOver = { now: false };
        const revoking = source.revokeWhile(() => !isOver.now);
        try {
          for (let round = 0; round < RESTARTS; round += 1) {
            await near?.[restart]();
            await expect.poll(() => stateOf(service), RECONNECTED).toBe("live");
          }
        } finally {
          isOver.now = true;
        }
        const revoked = await revoking;
        expect(revoked.length).toBeGreaterThan(RESTARTS * 5);
        expect(await listMissed(service, revoked)).toEqual([]);
        expect(await service.verify(await source.issue())).toBe("accepted");
      },
    );

    test(`misses none of the revocations that go on while its connection breaks ${CUTS} times`, TIMEOUT, async () => {
      const service = await listen({ onStale: "accept", feedOrigin: far?.origin ?? "" });
      const isOver = { now: false };
      const revoking = source.revokeWhile(() => !isOver.now);
      try {
        for (let round = 0; round < CUTS; round += 1) {
          const before = service.verifier.status().position;
          await service.feed.cut();
          await service.feed.mend();
          await expect.poll(() => service.verifier.status().position, RECONNECTED).not.toBe(before);
        }
      } finally {
        isOver.now = true;
      }
      const revoked = await revoking;
      expect(revoked.length).toBeGreaterThan(CUTS);
      expect(await listMissed(service, revoked)).toEqual([]);
    });

    test.each(FEED_BREAKS)(
      "does what onStale says while its feed is broken (%s), and knows everything when it is mended",
      TIMEOUT,
      async (fault) => {
        const services = await listenInEveryWay({ feedOrigin: near?.origin ?? "" });
        for (let round = 0; round < ROUNDS; round += 1) {
          const [living, revoked] = [await source.issue(), await source.issue()];
          expect(await answersOf(services, revoked)).toEqual(["accepted", "accepted", "accepted"]);
          const brokenAt = performance.now();
          for (const { feed } of services.all) await feed[fault]();
          await source.revoke(revoked);
          await expectStaleInTime(services, brokenAt);
          expect(await answersOf(services, revoked)).toEqual(["token_revoked", "revocations_stale", "accepted"]);
          expect(await answersOf(services, living)).toEqual(["accepted", "revocations_stale", "accepted"]);
          for (const { feed } of services.all) await feed.mend();
          await becomeLive(services);
          expect(await answersOf(services, revoked)).toEqual(["token_revoked", "token_revoked", "token_revoked"]);
          expect(await answersOf(services, living)).toEqual(["accepted", "accepted", "accepted"]);
        }
      },
    );

    test(
      "is stale in time when its node is stopped from running, and those of the other node notice nothing",
      TIMEOUT,
      async () => {
        const ofPaused = await listenInEveryWay({ feedOrigin: near?.origin ?? "" });
        const ofOther = await listen({ onStale: "reject", feedOrigin: far?.origin ?? "" });
        for (let round = 0; round < ROUNDS; round += 1) {
          const [living, revoked] = [await source.issue(), await source.issue()];
          const pausedAt = performance.now();
          near?.pause();
          try {
            await source.revoke(revoked);
            await expect.poll(() => ofOther.verify(revoked), HEARD).toBe("token_revoked");
            await expectStaleInTime(ofPaused, pausedAt);
            expect(await answersOf(ofPaused, revoked)).toEqual(["token_revoked", "revocations_stale", "accepted"]);
            expect(await answersOf(ofPaused, living)).toEqual(["accepted", "revocations_stale", "accepted"]);
            expect(await ofOther.verify(living)).toBe("accepted");
          } finally {
            near?.resume();
          }
          await becomeLive(ofPaused);
          expect(await answersOf(ofPaused, revoked)).toEqual(["token_revoked", "token_revoked", "token_revoked"]);
          expect(await answersOf(ofPaused, living)).toEqual(["accepted", "accepted", "accepted"]);
        }
      },
    );

    test.each(STORE_BREAKS)(
      "hears no heartbeat from a node that has lost Postgres (%s), and everything when that is back",
      TIMEOUT,
      async (fault) => {
        const origin = near?.origin ?? "";
        const services = await listenInEveryWay({ feedOrigin: origin, restOrigin: origin });
        for (let round = 0; round < ROUNDS; round += 1) {
          const [living, revoked] = [await source.issue(), await source.issue()];
          expect(await answersOf(services, revoked)).toEqual(["accepted", "accepted", "accepted"]);
          const lostAt = performance.now();
          await near?.postgres[fault]();
          try {
            await source.revoke(revoked);
            await expectStaleInTime(services, lostAt);
            // Who asks gets no answer, and no answer is no permission.
            const unanswered = ["issuer_unavailable", "revocations_stale", "accepted"];
            expect(await answersOf(services, revoked)).toEqual(unanswered);
            expect(await answersOf(services, living)).toEqual(unanswered);
          } finally {
            await near?.postgres.mend();
          }
          await becomeLive(services);
          expect(await answersOf(services, revoked)).toEqual(["token_revoked", "token_revoked", "token_revoked"]);
          expect(await answersOf(services, living)).toEqual(["accepted", "accepted", "accepted"]);
        }
      },
    );

    /** A process that is stopped, asked while it does not run, and goes on. */
    async function checkPausedReader({ onStale, ofRevoked, ofLiving }: (typeof PAUSED_READERS)[number]): Promise<void> {
      const reader = await startReader(deployment, { onStale, staleAfterMs: STALE_AFTER_MS });
      onTestFinished(() => reader.close());
      for (let round = 0; round < ROUNDS; round += 1) {
        const [living, revoked] = [await source.issue(), await source.issue()];
        await expect.poll(() => reader.verify(revoked), RECONNECTED).toBe("accepted");
        reader.pause();
        await source.revoke(revoked);
        // Time has to pass: this long nobody promised anything. The questions wait for the process to wake up.
        await delay(STALE_AFTER_MS);
        const answers = [reader.verify(revoked), reader.verify(living)];
        reader.resume();
        const [first, second] = await Promise.all(answers);
        expect([ofRevoked, "token_revoked"], onStale).toContain(first);
        expect([ofLiving, "accepted"], onStale).toContain(second);
        await expect.poll(() => reader.verify(living), RECONNECTED).toBe("accepted");
        expect(await reader.verify(revoked), onStale).toBe("token_revoked");
      }
    }

    test(
      "that was stopped from running accepts nothing that was revoked meanwhile: onStale decides first",
      TIMEOUT,
      async () => {
        await Promise.all(PAUSED_READERS.map(checkPausedReader));
      },
    );

    test(
      "resumes in commit order where several nodes write at once",
      async () => {
        const service = await listen({ onStale: "accept", feedOrigin: far?.origin ?? "" });
        const ids: number[] = [];
        service.verifier.on("revocation", ({ id }) => void ids.push(Number(id)));
        const isOver = { now: false };
        const writers = Array.from({ length: 4 }, () => source.revokeWhile(() => !isOver.now));
        for (let cut = 0; cut < CUTS; cut += 1) {
          const heard = ids.length;
          await service.feed.cut();
          await service.feed.mend();
          await expect.poll(() => ids.length, RECONNECTED).toBeGreaterThan(heard);
        }
        isOver.now = true;
        const revoked = (await Promise.all(writers)).flat();
        expect(await listMissed(service, revoked)).toEqual([]);
        const { rows } = await sql<{ id: string }>`
      select id from revocations where id >= ${ids[0] ?? 0} order by id`.execute(deployment.world.latchkey.database.db);
        const kept = rows.map(({ id }) => Number(id));
        // Each once, in order, and none left out; the first may have expired by now.
        expect(ids.slice(-kept.length)).toEqual(kept);
        expect(ids).toEqual([...new Set(ids)].toSorted((one, other) => one - other));
      },
      FAULT_TIMEOUT_MS,
    );
  });
}
