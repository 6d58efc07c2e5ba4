import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createFeedDelay } from "./feed-delay.ts";
import type { FakeConnection } from "./fake-feed-fixture.ts";
import { type FakeIssuer, startFakeIssuer } from "./fake-issuer-fixture.ts";
import { type Platform, systemPlatform } from "./platform.ts";
import { codeOf, eventually, nextEvent, nowSeconds, SOON_STALE_MS, startVerifier } from "./verifier-fixture.ts";

const session = { kind: "session", value: "sign-in-tag-0001" } as const;
let issuer: FakeIssuer;

beforeEach(async () => {
  issuer = await startFakeIssuer();
});

afterEach(async () => {
  await issuer.close();
});

/** Until the connection or the test is over. */
function every20Ms(connection: FakeConnection, action: () => void): void {
  const timer = setInterval(action, 20);
  onTestFinished(() => clearInterval(timer));
  void connection.closed.then(() => clearInterval(timer));
}

test("a delay is told by the quickest heartbeat, whatever the clocks say", () => {
  const time = { ms: 5_000 };
  const delay = createFeedDelay({ ...systemPlatform, monotonicMs: () => time.ms });
  const arrive = (atMs: number, sentAt: number): number => {
    time.ms = atMs;
    return Math.round(delay.delayMsOf(sentAt));
  };
  expect(arrive(5_000, 1_795_478_657)).toBe(0);
  expect(arrive(6_500, 1_795_478_658)).toBe(500);
  expect(arrive(6_900, 1_795_478_659)).toBe(0);
  expect(arrive(7_900, 1_795_478_659)).toBe(1_000);
});

describe("a proxy that holds back a little more with every heartbeat", () => {
  test("makes the feed stale, though heartbeats never stop", async () => {
    const scripted = issuer.feed.scriptNext();
    const verifier = startVerifier(issuer, { staleAfterMs: SOON_STALE_MS, onStale: "reject" });
    const connection = await scripted;
    connection.reset();
    const sentAt = systemPlatform.nowMs() / 1_000;
    every20Ms(connection, () => connection.beat(sentAt));
    await nextEvent(verifier, "live");
    await nextEvent(verifier, "stale");
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("revocations_stale");
  });

  test("is left for another connection", async () => {
    const scripted = issuer.feed.scriptNext();
    const verifier = startVerifier(issuer, { staleAfterMs: SOON_STALE_MS });
    const connection = await scripted;
    issuer.feed.behave(undefined);
    connection.reset();
    const sentAt = systemPlatform.nowMs() / 1_000;
    every20Ms(connection, () => connection.beat(sentAt));
    await connection.closed;
    await issuer.feed.connection(2);
    await eventually(() => expect(verifier.status().revocations).toBe("live"));
  });
});

test("a connection on which comments come, and nothing else, is given up", async () => {
  const platform: Platform = {
    ...systemPlatform,
    setTimer: (callback, delayMs) => systemPlatform.setTimer(callback, Math.min(delayMs, 200)),
  };
  const scripted = issuer.feed.scriptNext();
  const failed = nextEvent(startVerifier(issuer, { platform }), "error");
  const connection = await scripted;
  every20Ms(connection, () => connection.write(": still here\n\n"));
  expect(await failed).toMatchObject({ code: "issuer_unavailable", detail: "nothing came" });
});

test("a clock that was ahead when the process began, and is then set right, brings no revoked token back", async () => {
  const time = { aheadMs: 3_600_000 };
  const platform: Platform = { ...systemPlatform, nowMs: () => systemPlatform.nowMs() + time.aheadMs };
  issuer.feed.revoke({ ...session, expiresAt: nowSeconds() + 600 });
  const verifier = startVerifier(issuer, { platform });
  await verifier.ready();
  // Late enough for what has expired to be forgotten.
  time.aheadMs += 11_000;
  await (
    await issuer.feed.connection(1)
  ).closed;
  await eventually(() => expect(verifier.status().revocations).toBe("live"));
  time.aheadMs = 0;
  expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("token_revoked");
});
