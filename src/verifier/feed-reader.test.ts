import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FAR_AWAY, frameOf } from "./fake-feed-fixture.ts";
import { type FakeIssuer, startFakeIssuer } from "./fake-issuer-fixture.ts";
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

describe("a connected verifier", () => {
  test("refuses a token as soon as its revocation arrives, and accepts those of others", async () => {
    const verifier = start();
    await verifier.ready();
    const token = await issuer.sign();
    expect(await codeOf(verifier.verify(token))).toBe("accepted");
    const arrived = nextEvent(verifier, "revocation");
    issuer.feed.revoke(session);
    expect(await arrived).toMatchObject(session);
    expect(await codeOf(verifier.verify(token))).toBe("token_revoked");
    expect(await codeOf(verifier.verify(await issuer.sign({ claims: { sid: "another" } })))).toBe("accepted");
  });

  test("knows what was revoked before it came", async () => {
    issuer.feed.revoke(session);
    const verifier = start();
    await verifier.ready();
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("token_revoked");
    expect(verifier.status()).toMatchObject({ revocations: "live", revoked: 1, position: "2" });
  });

  test("reads the feed as its client, and for its own audience", async () => {
    const verifier = start();
    await verifier.ready();
    expect(await issuer.feed.connection(1)).toMatchObject({
      audience: "https://orders.example.com",
      token: "feed-token-1",
      lastEventId: undefined,
    });
  });

  test("a revocation that arrives while a signature is being verified counts for that call", async () => {
    const verifier = start();
    await verifier.ready();
    const token = await issuer.sign();
    const results: string[] = [];
    // Whichever comes first: a call that ends after the record was applied must refuse.
    verifier.on("revocation", () => results.push("applied"));
    const calls = Array.from({ length: 50 }, async () => {
      results.push(await codeOf(verifier.verify(token)));
    });
    issuer.feed.revoke(session);
    await Promise.all(calls);
    await codeOf(verifier.verify(token));
    const applied = results.indexOf("applied");
    expect(results.slice(applied + 1).includes("accepted") && applied >= 0).toBe(false);
  });
});

describe("a cut connection", () => {
  test("is resumed after the last id, and nothing is missed", async () => {
    const verifier = start();
    await verifier.ready();
    const first = issuer.feed.revoke(other);
    await nextEvent(verifier, "revocation");
    const connection = await issuer.feed.connection(1);
    connection.cut();
    issuer.feed.revoke(session);
    const arrived = nextEvent(verifier, "revocation");
    const resumed = await issuer.feed.connection(2);
    expect(resumed.lastEventId).toBe(String(first));
    await arrived;
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("token_revoked");
    expect(verifier.status().revoked).toBe(2);
  });

  test("within the snapshot is resumed in the middle, and what was read before counts already", async () => {
    const ids = [issuer.feed.revoke(session), issuer.feed.revoke(other)];
    issuer.feed.behave((connection) => {
      connection.reset();
      connection.send(ids[0] ?? 0);
    });
    const verifier = start({ onStale: "accept" });
    await nextEvent(verifier, "revocation");
    issuer.feed.behave(undefined);
    expect(verifier.status().revocations).toBe("stale");
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("token_revoked");
    (await issuer.feed.connection(1)).cut();
    await verifier.ready();
    expect((await issuer.feed.connection(2)).lastEventId).toBe(String(ids[0]));
    expect(verifier.status().revoked).toBe(2);
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("token_revoked");
  });

  test("right after the reset is not resumed: everything is asked for anew", async () => {
    issuer.feed.revoke(session);
    const verifier = start();
    await verifier.ready();
    const scripted = issuer.feed.scriptNext();
    (await issuer.feed.connection(1)).cut();
    const connection = await scripted;
    expect(connection.lastEventId).toBe("2");
    connection.reset();
    await eventually(() => expect(verifier.status().position).toBeUndefined());
    issuer.feed.behave(undefined);
    connection.cut();
    expect((await issuer.feed.connection(3)).lastEventId).toBeUndefined();
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("token_revoked");
  });

  test("when the place to resume at is no longer kept, a new snapshot takes the place of what was known", async () => {
    const verifier = start();
    await verifier.ready();
    issuer.feed.revoke(other);
    await nextEvent(verifier, "revocation");
    issuer.feed.restart();
    (await issuer.feed.connection(1)).cut();
    await eventually(() => expect(verifier.status().revoked).toBe(0));
    expect(verifier.status()).toMatchObject({ revocations: "live", position: "0" });
    expect((await issuer.feed.connection(2)).lastEventId).toBe("2");
  });

  test("that the issuer ends in good order is opened again as well", async () => {
    const verifier = start();
    await verifier.ready();
    (await issuer.feed.connection(1)).end();
    await issuer.feed.connection(2);
    const arrived = nextEvent(verifier, "revocation");
    issuer.feed.revoke(session);
    await arrived;
    expect(verifier.status().revocations).toBe("live");
  });
});

describe("a reset", () => {
  test("leaves the old set in force until the new one is complete", async () => {
    issuer.feed.revoke(session);
    const verifier = start({ staleAfterMs: 60_000 });
    await verifier.ready();
    const scripted = issuer.feed.scriptNext();
    (await issuer.feed.connection(1)).cut();
    const connection = await scripted;
    connection.reset();
    const arrived = nextEvent(verifier, "revocation", ({ value }) => value === "during-the-reset");
    connection.write(frameOf(10, { kind: "session", value: "during-the-reset", expiresAt: FAR_AWAY }));
    await arrived;
    const during = await issuer.sign({ claims: { sid: "during-the-reset" } });
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("token_revoked");
    expect(await codeOf(verifier.verify(during))).toBe("token_revoked");
    connection.write("event: heartbeat\nid: 10\ndata: {}\n\n");
    await eventually(() => expect(verifier.status().position).toBe("10"));
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("accepted");
    expect(await codeOf(verifier.verify(during))).toBe("token_revoked");
  });

  test("that begins again before it is complete takes back nothing", async () => {
    const verifier = start({ staleAfterMs: 60_000 });
    await verifier.ready();
    const scripted = issuer.feed.scriptNext();
    (await issuer.feed.connection(1)).cut();
    const connection = await scripted;
    const arrived = nextEvent(verifier, "revocation", ({ value }) => value === "marker");
    connection.reset();
    connection.write(frameOf(10, { ...session, expiresAt: FAR_AWAY }));
    connection.reset();
    connection.write(frameOf(10, { kind: "token", value: "marker", expiresAt: FAR_AWAY }));
    await arrived;
    expect(await codeOf(verifier.verify(await issuer.sign()))).toBe("token_revoked");
  });
});

describe("close", () => {
  test("ends the connection and everything that waits", async () => {
    const verifier = start();
    await verifier.ready();
    const connection = await issuer.feed.connection(1);
    const token = await issuer.sign();
    await verifier.close();
    await connection.closed;
    expect(await codeOf(verifier.verify(token))).toBe("verifier_closed");
    expect(await codeOf(verifier.ready())).toBe("verifier_closed");
    expect(verifier.status().revocations).toBe("closed");
    await verifier.close();
  });

  test("also while the issuer is away", async () => {
    issuer.setAway(true);
    const verifier = start();
    const ready = codeOf(verifier.ready());
    await nextEvent(verifier, "error");
    await verifier.close();
    expect(await ready).toBe("verifier_closed");
  });
});

/** As one does that makes a `Request` of what it is given: with that, the signal is lost once it is garbage. */
const deaf: typeof fetch = async (input, init) => await fetch(input, { ...init, signal: null });

describe("a fetch that does not heed its signal", () => {
  test("does not keep close waiting, nor the connection open", async () => {
    const verifier = start({ fetch: deaf });
    await verifier.ready();
    const connection = await issuer.feed.connection(1);
    await verifier.close();
    await connection.closed;
    expect(verifier.status().revocations).toBe("closed");
  });

  test("does not keep a feed that fell silent from being opened again", async () => {
    const verifier = start({ fetch: deaf, staleAfterMs: SOON_STALE_MS });
    await verifier.ready();
    const silent = await issuer.feed.connection(1);
    const reopened = issuer.feed.scriptNext();
    issuer.feed.setBeating(false);
    await silent.closed;
    expect((await reopened).lastEventId).toBe("0");
  });

  test("does not make close wait for an issuer that says nothing", async () => {
    const verifier = start({ fetch: () => new Promise(() => undefined) });
    const refusal = codeOf(verifier.verify(await issuer.sign()));
    await verifier.close();
    expect(await refusal).toBe("verifier_closed");
  });
});
