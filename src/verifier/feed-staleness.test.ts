import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FAR_AWAY, frameOf } from "./fake-feed-fixture.ts";
import { type FakeIssuer, startFakeIssuer } from "./fake-issuer-fixture.ts";
import { type Platform, systemPlatform } from "./platform.ts";
import {
  codeOf,
  eventually,
  nextEvent,
  SOON_STALE_MS,
  startVerifier,
  type VerifierChanges,
} from "./verifier-fixture.ts";
import type { Verifier } from "./verifier.ts";

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

describe("a stale feed", () => {
  async function startStale(changes: VerifierChanges = {}): Promise<Verifier> {
    const verifier = start({ staleAfterMs: SOON_STALE_MS, ...changes });
    await verifier.ready();
    const stale = nextEvent(verifier, "stale");
    issuer.feed.setBeating(false);
    expect(await stale).toEqual({ reason: "silence" });
    expect(verifier.status().revocations).toBe("stale");
    return verifier;
  }

  test.each([
    ["accept", "accepted"],
    ["reject", "revocations_stale"],
    ["introspect", "token_revoked"],
  ] as const)("with onStale %s: %s, for a token that the issuer calls inactive", async (onStale, code) => {
    const verifier = await startStale({ onStale });
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe(code);
    expect(issuer.countOf("/introspect")).toBe(onStale === "introspect" ? 1 : 0);
  });

  test("asks the issuer by default, and its yes is good", async () => {
    const verifier = await startStale();
    issuer.setIntrospection(() => ({ active: true }));
    const token = await issuer.sign();
    expect(await codeOf(verifier.verify(token))).toBe("accepted");
    expect(await codeOf(verifier.verify(token))).toBe("accepted");
    expect(issuer.countOf("/introspect")).toBe(2);
  });

  test.each(["accept", "introspect", "reject"] as const)(
    "with onStale %s still refuses what it knows to be revoked",
    async (onStale) => {
      issuer.setIntrospection(() => ({ active: true }));
      issuer.feed.revoke(session);
      const verifier = await startStale({ onStale });
      expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("token_revoked");
    },
  );

  test("a revocation that arrives while the issuer is being asked counts, though the issuer said yes", async () => {
    const during: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      const isQuestion = response.url.endsWith("/introspect");
      if (isQuestion) connection.write(frameOf(2, { ...session, expiresAt: FAR_AWAY }));
      if (isQuestion) await nextEvent(verifier, "revocation");
      return response;
    };
    issuer.setIntrospection(() => ({ active: true }));
    const scripted = issuer.feed.scriptNext();
    const verifier = start({ fetch: during });
    const connection = await scripted;
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("token_revoked");
    expect(issuer.countOf("/introspect")).toBe(1);
  });

  test("is left for another connection, which brings it up to date", async () => {
    const verifier = await startStale();
    const live = nextEvent(verifier, "live");
    issuer.feed.setBeating(true);
    await live;
    expect(issuer.feed.connectionCount).toBeGreaterThan(1);
    expect(verifier.status().revocations).toBe("live");
  });

  test("is stale until the first heartbeat, however long the snapshot takes", async () => {
    const scripted = issuer.feed.scriptNext();
    const verifier = start({ onStale: "reject" });
    const connection = await scripted;
    connection.reset();
    connection.write(frameOf(2, { ...other, expiresAt: FAR_AWAY }));
    await nextEvent(verifier, "revocation");
    const token = await issuer.sign();
    expect(await codeOf(verifier.verify(token))).toBe("revocations_stale");
    connection.write("event: heartbeat\nid: 2\ndata: {}\n\n");
    await verifier.ready();
    expect(await codeOf(verifier.verify(token))).toBe("accepted");
  });

  test("a process that was paused is stale before it accepts anything, and its buffered heartbeats do not count", async () => {
    const time = { pausedMs: 0 };
    const platform: Platform = { ...systemPlatform, monotonicMs: () => systemPlatform.monotonicMs() + time.pausedMs };
    const scripted = issuer.feed.scriptNext();
    const verifier = start({ platform, onStale: "reject", staleAfterMs: 30_000 });
    const connection = await scripted;
    connection.reset();
    connection.beat();
    await verifier.ready();
    const token = await issuer.sign();
    expect(await codeOf(verifier.verify(token))).toBe("accepted");
    issuer.feed.behave(undefined);
    issuer.feed.setBeating(false);
    time.pausedMs = 30_001;
    expect(await codeOf(verifier.verify(token))).toBe("revocations_stale");
    connection.beat();
    await issuer.feed.connection(2);
    expect(await codeOf(verifier.verify(token))).toBe("revocations_stale");
    issuer.feed.setBeating(true);
    await eventually(() => expect(verifier.status().revocations).toBe("live"));
  });

  test("a machine that was suspended counts as silent, though its monotonic clock stood still", async () => {
    const time = { suspendedMs: 0 };
    const platform: Platform = { ...systemPlatform, nowMs: () => systemPlatform.nowMs() + time.suspendedMs };
    const verifier = start({ platform, onStale: "reject", staleAfterMs: 30_000 });
    await verifier.ready();
    time.suspendedMs = 30_001;
    expect(verifier.status().revocations).toBe("stale");
  });

  test("a silence that was over before a timer could tell of it is told of all the same, and ready sees its end", async () => {
    const time = { suspendedMs: 0 };
    const platform: Platform = { ...systemPlatform, nowMs: () => systemPlatform.nowMs() + time.suspendedMs };
    const verifier = start({ platform, staleAfterMs: 30_000 });
    await verifier.ready();
    const states: string[] = [];
    verifier.on("stale", ({ reason }) => states.push(reason));
    verifier.on("live", () => states.push("live"));
    time.suspendedMs = 30_001;
    await verifier.ready();
    expect(states).toEqual(["silence", "live"]);
    expect(verifier.status().revocations).toBe("live");
  });

  test("a kind that is not known makes it stale until that record expires", async () => {
    const time = { laterMs: 0 };
    const platform: Platform = {
      ...systemPlatform,
      nowMs: () => systemPlatform.nowMs() + time.laterMs,
      monotonicMs: () => systemPlatform.monotonicMs() + time.laterMs,
    };
    const verifier = start({ platform, onStale: "reject" });
    await verifier.ready();
    const stale = nextEvent(verifier, "stale");
    const expiresAt = Math.floor(systemPlatform.nowMs() / 1_000) + 600;
    const id = issuer.feed.revoke({ kind: "planet", value: "earth", expiresAt });
    expect(await stale).toEqual({ reason: "unknown_kind" });
    await eventually(() => expect(verifier.status().position).toBe(String(id)));
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("revocations_stale");
    time.laterMs = 601_000;
    await nextEvent(verifier, "live");
    expect(verifier.status().revocations).toBe("live");
  });
});
