import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { frameOf } from "./fake-feed-fixture.ts";
import { type FakeIssuer, startFakeIssuer } from "./fake-issuer-fixture.ts";
import { type Platform, systemPlatform } from "./platform.ts";
import { codeOf, eventually, nextEvent, startVerifier, type VerifierChanges } from "./verifier-fixture.ts";
import type { Verifier } from "./verifier.ts";
import { delayMsAfter } from "./waiting.ts";

let issuer: FakeIssuer;

beforeEach(async () => {
  issuer = await startFakeIssuer();
});

afterEach(async () => {
  await issuer.close();
});

const start = (changes: VerifierChanges = {}): Verifier => startVerifier(issuer, changes);
const session = { kind: "session", value: "sign-in-tag-0001" } as const;
const other = { kind: "session", value: "sign-in-of-bob" } as const;

describe("the token that opens the feed", () => {
  test("is renewed before it ends, by a connection that overlaps, so that the feed is never stale", async () => {
    issuer.setFeedTokenSeconds(0.4);
    const verifier = start();
    await verifier.ready();
    const states: string[] = [];
    verifier.on("stale", () => states.push("stale"));
    verifier.on("error", ({ code }) => states.push(code));
    const first = await issuer.feed.connection(1);
    const order: string[] = [];
    const closed = first.closed.then(() => order.push("first closed"));
    const second = await issuer.feed.connection(2);
    order.push("second opened");
    const third = await issuer.feed.connection(3);
    expect([first.token, second.token, third.token]).toEqual(["feed-token-1", "feed-token-2", "feed-token-3"]);
    expect(second.lastEventId).toBe("0");
    await closed;
    const arrived = nextEvent(verifier, "revocation");
    issuer.feed.revoke(session);
    await arrived;
    expect(states).toEqual([]);
    expect(order).toEqual(["second opened", "first closed"]);
  });

  test("when the next one does not work the old connection is kept while it lasts", async () => {
    issuer.setFeedTokenSeconds(0.2);
    const verifier = start();
    await verifier.ready();
    const failed = nextEvent(verifier, "error");
    issuer.feed.refuse(503);
    expect(await failed).toMatchObject({ code: "issuer_unavailable" });
    const arrived = nextEvent(verifier, "revocation");
    issuer.feed.revoke(session);
    await arrived;
    expect(verifier.status().revocations).toBe("live");
  });

  test("that is refused is replaced by a new one, without a word", async () => {
    issuer.feed.refuse(401);
    const verifier = start();
    const errors: string[] = [];
    verifier.on("error", ({ code }) => errors.push(code));
    await eventually(() => expect(issuer.feed.connectionCount).toBe(1));
    issuer.feed.refuse(undefined);
    await verifier.ready();
    expect((await issuer.feed.connection(2)).token).toBe("feed-token-2");
    expect(errors).toEqual([]);
  });

  test("that are refused for some seconds, as after an epoch, are replaced every second, and then more seldom", async () => {
    const pauses: number[] = [];
    const platform: Platform = {
      ...systemPlatform,
      random: () => 1,
      setTimer(callback, delayMs) {
        const isPause = delayMs <= 5_000;
        if (isPause) pauses.push(delayMs);
        return systemPlatform.setTimer(callback, isPause ? 1 : delayMs);
      },
    };
    issuer.feed.refuse(401);
    // Longer than any pause, to tell the two apart.
    start({ platform, timeoutMs: 60_000 });
    await eventually(() => expect(pauses.length).toBeGreaterThan(16));
    const everySecond = Array.from({ length: 11 }, () => 1_000);
    expect(pauses.slice(0, 16)).toEqual([100, 200, 400, 800, ...everySecond, 5_000]);
  });
});

describe("what an issuer can do wrong", () => {
  test.each([
    ["a line without end", `event: revocation\nid: 4\ndata: ${"x".repeat(20_000)}\n\n`, "a line is too long"],
    ["an event without end", `${"data: x\n".repeat(40)}\n`, "an event has too many lines"],
    ["a revocation without an id", "event: revocation\ndata: {}\n\n", "an event has no id"],
    ["a revocation that is none", "event: revocation\nid: 4\ndata: []\n\n", "a revocation is malformed"],
    ["a time that is none", frameOf(4, { ...other, expiresAt: "soon" }), "a revocation is malformed"],
    ["a bound that is none", frameOf(4, { ...other, expiresAt: 1, issuedBefore: "x" }), "a revocation is malformed"],
  ])("%s ends the connection, and the next one goes on after what was understood", async (_what, text, detail) => {
    const verifier = start();
    await verifier.ready();
    const id = issuer.feed.revoke(other);
    await nextEvent(verifier, "revocation");
    const failed = nextEvent(verifier, "error");
    (await issuer.feed.connection(1)).write(text);
    expect(await failed).toMatchObject({ code: "issuer_unavailable", detail });
    expect((await issuer.feed.connection(2)).lastEventId).toBe(String(id));
  });

  test("comments and events of names that are not known change nothing", async () => {
    const verifier = start();
    await verifier.ready();
    const arrived = nextEvent(verifier, "revocation");
    (await issuer.feed.connection(1)).write(": hello\n\nevent: weather\ndata: rain\n\n");
    issuer.feed.revoke(session);
    await arrived;
    expect(issuer.feed.connectionCount).toBe(1);
  });

  test.each([
    ["403", "revocations_refused"],
    ["404", "revocations_refused"],
  ])("%s is a matter of settings: ready says so, and the reader goes on trying", async (status, code) => {
    issuer.feed.refuse(Number(status));
    const verifier = start();
    expect(await codeOf(verifier.ready())).toBe(code);
    issuer.feed.refuse(undefined);
    await eventually(() => expect(verifier.status().revocations).toBe("live"));
  });

  test("a wrong secret is a matter of settings", async () => {
    const verifier = start({ client: { id: "billingApi", secret: "another" } });
    expect(await codeOf(verifier.ready())).toBe("client_refused");
  });

  test("an issuer without a feed is a matter of settings", async () => {
    issuer.setMetadata({ revocation_feed_endpoint: undefined });
    expect(await codeOf(start().ready())).toBe("issuer_misconfigured");
  });

  test("an issuer that is away is waited for", async () => {
    issuer.setAway(true);
    const verifier = start();
    const ready = verifier.ready();
    await nextEvent(verifier, "error");
    issuer.setAway(false);
    await ready;
    expect(verifier.status()).toMatchObject({ revocations: "live", keys: "known" });
  });

  test("Retry-After is respected", async () => {
    const delays: number[] = [];
    const platform: Platform = {
      ...systemPlatform,
      setTimer(callback, delayMs) {
        delays.push(delayMs);
        return systemPlatform.setTimer(callback, Math.min(delayMs, 100));
      },
    };
    issuer.feed.refuse(429, "20");
    start({ platform });
    await eventually(() => expect(issuer.feed.connectionCount).toBeGreaterThan(1));
    expect(delays).toContain(20_000);
  });

  test("reconnects come slower and slower, from 50 ms to 5 s, and never all at once", () => {
    const delays = [0, 1, 2, 7, 50].flatMap((failures) =>
      [0, 0.999].map((random) => Math.round(delayMsAfter(failures, { ...systemPlatform, random: () => random }))),
    );
    expect(delays).toEqual([25, 50, 50, 100, 100, 200, 2_500, 4_998, 2_500, 4_998]);
  });
});
