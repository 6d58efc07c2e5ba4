import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { randomToken } from "../../src/core/index.ts";
import { type ProtocolStore, sweepPostgresStore } from "../../src/oidc/adapter/index.ts";
import type { FieldChange } from "../../src/oidc/adapter/store.ts";
import { BRIEF_SECONDS, type Ground, secondsFromNow, type StoreConnection } from "./grounds.ts";

const RACERS_PER_CONNECTION = 10;

/** What every {@link ProtocolStore} does, whatever it stands on. */
export function protocolStoreContract(openGround: () => Promise<Ground>): void {
  let ground: Ground;
  let first: StoreConnection;
  let second: StoreConnection;
  let store: ProtocolStore;
  beforeAll(async () => {
    ground = await openGround();
    [first, second] = [await ground.connect(), await ground.connect()];
    store = first.store;
  });
  beforeEach(() => ground.clear());
  afterAll(() => ground.close());

  const newKey = (): string => `lk:{${randomToken(12)}}`;
  const bytes = (text: string): Buffer => Buffer.from(text);
  const soon = (): number => secondsFromNow(ground.clock, 60);
  const readOne = async (key: string): Promise<Record<string, string>> => {
    const [fields] = await store.read([key]);
    return Object.fromEntries([...(fields ?? [])].map(([name, value]) => [name, value.toString("latin1")]));
  };
  const put = (key: string, fields: Record<string, string>, expiresAt = soon()): Promise<boolean> =>
    store.change(key, { expect: new Map(), set: toMap(fields), expiresAt });
  const toMap = (fields: Record<string, string>): Map<string, Buffer> =>
    new Map(Object.entries(fields).map(([name, value]) => [name, bytes(value)]));

  describe("reading", () => {
    test("several keys come back in the order asked for, with the absent ones empty", async () => {
      const [left, right, absent] = [newKey(), newKey(), newKey()];
      await put(right, { name: "right" });
      await put(left, { name: "left" });
      const found = await store.read([left, absent, right, left]);
      expect(found.map((fields) => fields.get("name")?.toString())).toEqual(["left", undefined, "right", "left"]);
      expect(found[1]?.size).toBe(0);
    });

    test("a value keeps every byte", async () => {
      const key = newKey();
      const value = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
      await store.change(key, {
        expect: new Map(),
        set: new Map([
          ["v", value],
          ["empty", Buffer.alloc(0)],
        ]),
        expiresAt: soon(),
      });
      const [fields] = await store.read([key]);
      expect(fields?.get("v")).toEqual(value);
      expect(fields?.get("empty")).toEqual(Buffer.alloc(0));
    });

    test("what one connection wrote, another reads", async () => {
      const key = newKey();
      await put(key, { v: "1" });
      const [fields] = await second.store.read([key]);
      expect(fields?.get("v")).toEqual(bytes("1"));
    });
  });

  describe("changing", () => {
    const start = { kept: "k", changed: "old", dropped: "d" };
    const change = (expected: FieldChange["expect"]): FieldChange => ({
      expect: expected,
      set: toMap({ changed: "new", added: "a" }),
      drop: ["dropped", "never there"],
      expiresAt: soon(),
    });

    test.each<[string, FieldChange["expect"]]>([
      ["nothing is expected", new Map()],
      ["a present field has its value", new Map([["changed", bytes("old")]])],
      ["an absent field is absent", new Map([["missing", undefined]])],
      [
        "both hold",
        new Map([
          ["changed", bytes("old")],
          ["kept", bytes("k")],
          ["missing", undefined],
        ]),
      ],
    ])("it sets and drops when %s", async (_, expected) => {
      const key = newKey();
      await put(key, start);
      expect(await store.change(key, change(expected))).toBe(true);
      expect(await readOne(key)).toEqual({ kept: "k", changed: "new", added: "a" });
    });

    test.each<[string, FieldChange["expect"]]>([
      ["a present field has another value", new Map([["changed", bytes("other")]])],
      ["a present field has only the beginning of its value", new Map([["changed", bytes("ol")]])],
      ["a field that should be absent is there", new Map([["kept", undefined]])],
      ["a field that should be present is not", new Map([["missing", bytes("old")]])],
      [
        "one of several does not hold",
        new Map([
          ["kept", bytes("k")],
          ["changed", undefined],
        ]),
      ],
      [
        "the last of several does not hold",
        new Map([
          ["missing", undefined],
          ["kept", bytes("x")],
        ]),
      ],
    ])("nothing at all changes when %s", async (_, expected) => {
      const key = newKey();
      await put(key, start);
      expect(await store.change(key, change(expected))).toBe(false);
      expect(await readOne(key)).toEqual(start);
    });

    test("a key that is not there is made only when nothing is expected of it", async () => {
      const [refused, made] = [newKey(), newKey()];
      expect(
        await store.change(refused, { expect: toMap({ v: "1" }), set: toMap({ v: "2" }), expiresAt: soon() }),
      ).toBe(false);
      const expected = new Map([["v", undefined]]);
      expect(
        await store.change(made, { expect: expected, set: toMap({ v: "2" }), drop: ["w"], expiresAt: soon() }),
      ).toBe(true);
      expect(await readOne(refused)).toEqual({});
      expect(await readOne(made)).toEqual({ v: "2" });
      expect(await ground.listKeys()).toEqual([made]);
      expect(await ground.listUnending()).toEqual([]);
    });

    test("a field that is both set and dropped is dropped, on a new key as on an old one", async () => {
      const key = newKey();
      const both: FieldChange = { expect: new Map(), set: toMap({ v: "1", w: "2" }), drop: ["w"], expiresAt: soon() };
      await store.change(key, both);
      expect(await readOne(key)).toEqual({ v: "1" });
      await store.change(key, both);
      expect(await readOne(key)).toEqual({ v: "1" });
    });

    test("without its last field a key reads as absent and can be made anew", async () => {
      const key = newKey();
      await put(key, { v: "1" });
      await store.change(key, { expect: toMap({ v: "1" }), drop: ["v"], expiresAt: soon() });
      expect(await readOne(key)).toEqual({});
      expect(
        await store.change(key, { expect: new Map([["v", undefined]]), set: toMap({ v: "2" }), expiresAt: soon() }),
      ).toBe(true);
    });
  });

  describe("deleting", () => {
    test("a deleted key is absent, others stay, and deleting again is no error", async () => {
      const [gone, kept] = [newKey(), newKey()];
      await put(gone, { v: "1" });
      await put(kept, { v: "1" });
      await store.delete(gone);
      await store.delete(gone);
      expect(await ground.listKeys()).toEqual([kept]);
    });

    test("a change that expects what was deleted does not bring it back", async () => {
      const key = newKey();
      await put(key, { v: "1" });
      await store.delete(key);
      expect(await store.change(key, { expect: toMap({ v: "1" }), set: toMap({ v: "2" }), expiresAt: soon() })).toBe(
        false,
      );
      expect(await ground.listKeys()).toEqual([]);
    });
  });

  describe("expiry", () => {
    test("a key is there before its end and absent from then on", async () => {
      const [brief, lasting] = [newKey(), newKey()];
      await put(lasting, { v: "1" });
      await put(brief, { v: "1" }, secondsFromNow(ground.clock, BRIEF_SECONDS));
      expect(await readOne(brief)).toEqual({ v: "1" });
      await ground.passBrief();
      expect(await readOne(brief)).toEqual({});
      expect(await readOne(lasting)).toEqual({ v: "1" });
    });

    test("what has expired is not changed, and is made anew without its old fields", async () => {
      const key = newKey();
      await put(key, { old: "1" }, secondsFromNow(ground.clock, BRIEF_SECONDS));
      await ground.passBrief();
      expect(await store.change(key, { expect: toMap({ old: "1" }), set: toMap({ v: "2" }), expiresAt: soon() })).toBe(
        false,
      );
      expect(
        await store.change(key, { expect: new Map([["old", undefined]]), set: toMap({ v: "2" }), expiresAt: soon() }),
      ).toBe(true);
      expect(await readOne(key)).toEqual({ v: "2" });
    });

    test("a change lengthens a life and never shortens it", async () => {
      const [shortened, lengthened, control] = [newKey(), newKey(), newKey()];
      const briefly = (): number => secondsFromNow(ground.clock, BRIEF_SECONDS);
      await put(shortened, { v: "1" });
      await put(lengthened, { v: "1" }, briefly());
      await put(lengthened, { v: "2" });
      await store.change(shortened, { expect: toMap({ v: "1" }), set: toMap({ v: "2" }), expiresAt: briefly() });
      await put(shortened, { w: "1" }, briefly());
      await put(control, { v: "1" }, briefly());
      await ground.passBrief();
      expect(await readOne(shortened)).toEqual({ v: "2", w: "1" });
      expect(await readOne(lengthened)).toEqual({ v: "2" });
    });

    test("what would be over at once is not written", async () => {
      const key = newKey();
      expect(await put(key, { v: "1" }, secondsFromNow(ground.clock, 0))).toBe(false);
      expect(await put(key, { v: "1" }, secondsFromNow(ground.clock, -5))).toBe(false);
      expect(await ground.listKeys()).toEqual([]);
    });

    test("nothing is left in the store when everything has expired", async () => {
      const keys = Array.from({ length: 30 }, newKey);
      for (const key of keys) await put(key, { v: "1" }, secondsFromNow(ground.clock, BRIEF_SECONDS));
      await ground.passBrief();
      await ground.sweep();
      expect(await ground.listKeys()).toEqual([]);
    });
  });

  describe("races", () => {
    test(`of ${2 * RACERS_PER_CONNECTION} parallel changes that expect the same, one is carried out`, async () => {
      for (let round = 0; round < ground.raceRounds; round += 1) {
        const key = newKey();
        await put(key, { v: "start" });
        const won = await race([first.store, second.store], (racer, name) =>
          racer.change(key, { expect: toMap({ v: "start" }), set: toMap({ v: name }), expiresAt: soon() }),
        );
        expect(won).toHaveLength(1);
        expect(await readOne(key)).toEqual({ v: won[0] });
      }
    });

    test("of parallel changes that expect the key to be absent, one makes it", async () => {
      for (let round = 0; round < ground.raceRounds; round += 1) {
        const key = newKey();
        const won = await race([first.store, second.store], (racer, name) =>
          racer.change(key, { expect: new Map([["v", undefined]]), set: toMap({ v: name }), expiresAt: soon() }),
        );
        expect(won).toHaveLength(1);
        expect(await readOne(key)).toEqual({ v: won[0] });
      }
    });

    test("parallel changes of different fields are all carried out", async () => {
      for (let round = 0; round < ground.raceRounds; round += 1) {
        const key = newKey();
        await put(key, { owner: "alice" });
        const won = await race([first.store, second.store], (racer, name) =>
          racer.change(key, { expect: toMap({ owner: "alice" }), set: toMap({ [name]: "1" }), expiresAt: soon() }),
        );
        expect(won).toHaveLength(2 * RACERS_PER_CONNECTION);
        expect(Object.keys(await readOne(key))).toHaveLength(1 + won.length);
      }
    });

    test("a deletion in the middle of parallel changes is final", async () => {
      for (let round = 0; round < ground.raceRounds; round += 1) {
        const key = newKey();
        await put(key, { owner: "alice" });
        const changes = race([first.store, second.store], (racer, name) =>
          racer.change(key, { expect: toMap({ owner: "alice" }), set: toMap({ [name]: "1" }), expiresAt: soon() }),
        );
        await Promise.all([changes, second.store.delete(key)]);
        expect(await ground.listKeys()).toEqual([]);
      }
    });
  });
}

/** What the sweep does where the store does not expire keys by itself. */
export function sweepContract(openGround: () => Promise<Ground>): void {
  test("sweeping counts what it deletes, over several batches, and leaves the living", async () => {
    const ground = await openGround();
    onTestFinished(() => ground.close());
    const { store, db } = await ground.connect();
    const put = (key: string, seconds: number): Promise<boolean> =>
      store.change(key, {
        expect: new Map(),
        set: new Map([["v", Buffer.from("1")]]),
        expiresAt: secondsFromNow(ground.clock, seconds),
      });
    const briefCount = 1_203;
    await put("living", 60);
    for (let number = 0; number < briefCount; number += 1) await put(`brief-${number}`, BRIEF_SECONDS);
    await ground.passBrief();
    expect(await sweepPostgresStore({ db, clock: ground.clock })).toBe(briefCount);
    expect(await sweepPostgresStore({ db, clock: ground.clock })).toBe(0);
    expect(await ground.listKeys()).toEqual(["living"]);
  });
}

/** Lets ten of each store run at once; returns the names of those whose change was carried out. */
async function race(
  stores: readonly ProtocolStore[],
  run: (store: ProtocolStore, name: string) => Promise<boolean>,
): Promise<string[]> {
  const racers = stores.flatMap((store, at) =>
    Array.from({ length: RACERS_PER_CONNECTION }, (_, number) => ({ store, name: `racer-${at}-${number}` })),
  );
  const results = await Promise.all(racers.map(({ store, name }) => run(store, name)));
  return racers.filter((_, at) => results[at] === true).map(({ name }) => name);
}
