import { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import type { LogFollower, RevocationLog } from "../revocation-log.ts";
import type { Revocation } from "../revocation-page.ts";
import { createFeedHub, type EndedConnection, type FeedHub, type FeedLimits, type Place } from "./hub.ts";

const ORDERS = "https://orders.example.com";
const PIECE = 200;

/** A wire to a reader who takes what the test lets him take. */
class Wire extends Writable {
  text = "";
  isPaused = false;
  #held: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1_024 });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString("utf8");
    if (this.isPaused) this.#held = done;
    else done();
  }

  takeOn(): void {
    this.isPaused = false;
    this.#held?.();
    this.#held = undefined;
  }

  events(): string[] {
    return this.text
      .split("\n\n")
      .filter((block) => block !== "")
      .map((block) => {
        const [, event = "", id = ""] = /^event: (\w+)\n(?:id: (\d+)\n)?data: /.exec(block) ?? [];
        return `${event} ${id}`.trim();
      });
  }
}

/** A log with the records that the test gives it. */
class FakeLog implements Omit<RevocationLog, "start" | "close"> {
  records: Revocation[] = [];
  revokedSessions = new Set<string>();
  catchUps = 0;
  isAway = false;
  follower: LogFollower | undefined;
  keptAfterId = 0;

  get lastId(): number {
    return this.records.at(-1)?.id ?? 0;
  }
  async catchUp(): Promise<void> {
    this.catchUps += 1;
    if (this.isAway) throw new Error("away");
  }
  isRevoked({ sid = "" }: { readonly sid?: string }): boolean {
    return this.revokedSessions.has(sid);
  }
  follow(follower: LogFollower): void {
    this.follower = follower;
  }
  listAfter(id: number, recordsMax: number): readonly Revocation[] {
    return this.records.filter((record) => record.id > id).slice(0, recordsMax);
  }
  read(...records: readonly Revocation[]): void {
    this.records.push(...records);
    this.follower?.onRecords(records, 0);
  }
}

const record = (id: number, more: Partial<Revocation> = {}): Revocation => ({
  id,
  kind: "session",
  value: `s${id}`,
  expiresAt: 1_000,
  audiences: null,
  ...more,
});
const range = (from: number, to: number): Revocation[] =>
  Array.from({ length: to - from + 1 }, (_, at) => record(from + at));

/** Nobody else takes places of it but the test. */
function createFakeSharedPlaces() {
  const places = { isAway: false, isFull: false, taken: 0, settled: 0 };
  return Object.assign(places, {
    async take() {
      if (places.isAway) throw new Error("away");
      if (places.isFull) return undefined;
      places.taken += 1;
      return () => void (places.taken -= 1);
    },
    async settle() {
      places.settled += 1;
    },
  });
}

type FakeSharedPlaces = ReturnType<typeof createFakeSharedPlaces>;

describe("a hub", () => {
  let log: FakeLog;
  let nowMs: number;
  let ended: EndedConnection[];
  let shared: FakeSharedPlaces;
  beforeEach(() => {
    shared = createFakeSharedPlaces();
    log = new FakeLog();
    nowMs = 0;
    ended = [];
  });

  function createHub(limits: Partial<FeedLimits> = {}): FeedHub {
    return createFeedHub({
      log: portOf(log),
      clock: { nowMs: () => nowMs },
      sharedPlaces: shared,
      limits: { clientConnectionsMax: 10, connectionsMax: 10, bufferBytesMax: 4_096, ...limits },
      onConnectionEnded: (one) => ended.push(one),
    });
  }

  /** As an object of functions, which is what the hub may expect. */
  function portOf(fake: FakeLog): RevocationLog {
    return {
      start: async () => undefined,
      close: async () => undefined,
      catchUp: () => fake.catchUp(),
      isRevoked: (token) => fake.isRevoked(token),
      follow: (follower) => fake.follow(follower),
      listAfter: (id, max) => fake.listAfter(id, max),
      get lastId() {
        return fake.lastId;
      },
      get keptAfterId() {
        return fake.keptAfterId;
      },
    };
  }

  interface Joining {
    readonly wire?: Wire;
    readonly resumeAfter?: number;
    readonly clientId?: string;
    readonly sid?: string;
    readonly expiresAt?: number;
  }

  async function admitted(hub: FeedHub, clientId = "orders"): Promise<Place> {
    const admission = await hub.admit(clientId);
    if (admission.type !== "place") throw new Error(`refused: ${admission.type}`);
    return admission;
  }

  async function join(hub: FeedHub, joining: Joining = {}): Promise<Wire> {
    const { wire = new Wire(), clientId = "orders", sid = "own", expiresAt = 300, resumeAfter } = joining;
    const token = { sid, jti: "j", sub: clientId, client_id: clientId, iat: 0, kid: "k" };
    const reader = { clientId, audiences: [ORDERS], token, expiresAt };
    (await admitted(hub, clientId)).connect({ reader, sink: wire, resumeAfter });
    await turn();
    return wire;
  }

  test("sends more than one piece in order, and reads the table again before it says that this was all", async () => {
    log.records = range(1, PIECE * 2 + 1);
    const wire = await join(createHub());
    await turn();
    const events = wire.events();
    expect(events[0]).toBe("reset");
    expect(events.slice(1, -1)).toEqual(log.records.map(({ id }) => `revocation ${id}`));
    expect(events.at(-1)).toBe(`heartbeat ${PIECE * 2 + 1}`);
    expect(log.catchUps).toBe(1);
  });

  test("leaves the first heartbeat to the next look when the table is away", async () => {
    log.isAway = true;
    const wire = await join(createHub());
    expect(wire.events()).toEqual(["reset"]);
    log.follower?.onLook();
    expect(wire.events()).toEqual(["reset", "heartbeat 0"]);
  });

  test("says nothing of being up to date to a reader that is not", async () => {
    const wire = new Wire();
    wire.isPaused = true;
    log.records = range(1, PIECE * 2);
    await join(createHub(), { wire });
    log.follower?.onLook();
    wire.takeOn();
    await turn();
    await turn();
    expect(wire.events().filter((event) => event.startsWith("heartbeat"))).toEqual([`heartbeat ${PIECE * 2}`]);
    expect(wire.events().at(-1)).toBe(`heartbeat ${PIECE * 2}`);
  });

  test("lets nothing fall between catching up and what is read meanwhile", async () => {
    const wire = new Wire();
    wire.isPaused = true;
    log.records = range(1, PIECE);
    await join(createHub(), { wire });
    log.read(...range(PIECE + 1, PIECE + 3));
    wire.takeOn();
    await turn();
    await turn();
    log.read(record(PIECE + 4));
    const ids = wire.events().filter((event) => event.startsWith("revocation"));
    expect(ids).toEqual(range(1, PIECE + 4).map(({ id }) => `revocation ${id}`));
  });

  test("has at most the limit waiting for a slow reader, and gives him the rest out of the log", async () => {
    const hub = createHub();
    const wire = await join(hub, { resumeAfter: 0 });
    wire.isPaused = true;
    for (const next of range(1, 500)) {
      log.read(next);
      expect(wire.writableLength).toBeLessThanOrEqual(4_096);
    }
    wire.takeOn();
    await expect.poll(() => wire.events().at(-1)).toBe("heartbeat 500");
    const ids = wire.events().filter((event) => event.startsWith("revocation"));
    expect(ids).toEqual(range(1, 500).map(({ id }) => `revocation ${id}`));
    expect(ended).toEqual([]);
  });

  test("cuts off, after ten seconds and not before, a reader that takes nothing while it catches up", async () => {
    const wire = new Wire();
    wire.isPaused = true;
    log.records = range(1, PIECE * 2);
    await join(createHub(), { wire });
    nowMs = 10_000;
    log.follower?.onLook();
    expect(ended).toEqual([]);
    nowMs = 10_001;
    log.follower?.onLook();
    expect(ended).toEqual([{ clientId: "orders", reason: "slow", seconds: 10 }]);
    expect(wire.destroyed).toBe(true);
  });

  test("ends a connection at its token's end, and when its token is revoked, in good order", async () => {
    const hub = createHub();
    const [over, revoked, other] = [
      await join(hub, { expiresAt: 100 }),
      await join(hub, { sid: "theirs" }),
      await join(hub),
    ];
    nowMs = 99_999;
    log.follower?.onLook();
    expect(ended).toEqual([]);
    nowMs = 100_000;
    log.follower?.onLook();
    log.revokedSessions.add("theirs");
    log.read(record(1));
    expect(ended.map(({ reason }) => reason)).toEqual(["token_expired", "token_revoked"]);
    expect([over, revoked, other].map(({ writableEnded }) => writableEnded)).toEqual([true, true, false]);
    expect(revoked.events().at(-1)).toBe("revocation 1");
  });

  test("ends everybody's connection when the table has lost its history", async () => {
    const wire = await join(createHub());
    log.follower?.onHistoryLost();
    expect([wire.writableEnded, ended[0]?.reason]).toEqual([true, "history_lost"]);
  });

  test("gives a place back once, whichever way the connection ends", async () => {
    const hub = createHub({ clientConnectionsMax: 1 });
    const wire = await join(hub);
    expect((await hub.admit("orders")).type).toBe("client_full");
    expect((await hub.admit("ledger")).type).toBe("place");
    wire.destroy();
    await turn();
    expect(ended).toEqual([{ clientId: "orders", reason: "gone", seconds: 0 }]);
    const again = await join(hub);
    log.follower?.onHistoryLost();
    again.destroy();
    await turn();
    (await admitted(hub)).leave();
    expect((await hub.admit("orders")).type).toBe("place");
    expect((await hub.admit("orders")).type).toBe("client_full");
  });

  test("admits nobody to whom no place over all nodes is left, and keeps none of its own for who was refused", async () => {
    const hub = createHub({ clientConnectionsMax: 1 });
    shared.isFull = true;
    expect((await hub.admit("orders")).type).toBe("client_full");
    shared.isAway = true;
    await expect(hub.admit("orders")).rejects.toThrow("away");
    Object.assign(shared, { isAway: false, isFull: false });
    const wire = await join(hub);
    expect(shared.taken).toBe(1);
    wire.destroy();
    await turn();
    expect(shared.taken).toBe(0);
    log.follower?.onLook();
    expect(shared.settled).toBe(1);
  });

  test("admits nobody once it is closed, not even who had a place already", async () => {
    const hub = createHub();
    const place = await admitted(hub);
    const wire = await join(hub);
    await hub.close();
    expect(wire.writableEnded).toBe(true);
    expect((await hub.admit("orders")).type).toBe("stopping");
    const late = new Wire();
    const token = { jti: "j", sub: "orders", client_id: "orders", iat: 0, kid: "k" };
    const reader = { clientId: "orders", audiences: [], token, expiresAt: 300 };
    place.connect({ reader, sink: late, resumeAfter: undefined });
    expect(late.writableEnded).toBe(true);
  });
});
