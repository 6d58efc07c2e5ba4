import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createKnownDevices, createThrottle, type KnownDevices, type Throttle } from "../../src/accounts/index.ts";
import type { Database, Db, Redis } from "../../src/storage/index.ts";
import { createMovableClock, type MovableClock } from "../support/movable-clock.ts";
import type { RevocationGround } from "./revocations.contract.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const FREE_TRIES = 9;
const FAILURES_MAX = 100;

interface Person {
  readonly id: string;
  readonly emailFolded: string;
}

interface Scene {
  readonly db: Db;
  readonly clock: MovableClock;
  readonly near: Throttle;
  readonly far: Throttle;
  readonly devices: KnownDevices;
}

export interface Counting {
  readonly ground: RevocationGround;
  /** Where windows are counted; in the database when there is none. */
  readonly redis?: readonly [Redis, Redis];
  close(): Promise<void>;
}

/** Two nodes that count together. */
export function throttleContract(open: () => Promise<Counting>): void {
  let counting: Counting;
  let databases: readonly [Database, Database];
  let scene: Scene;
  beforeAll(async () => {
    counting = await open();
    databases = [await counting.ground.connect(), await counting.ground.connect()];
  });
  beforeEach(() => {
    const clock = createMovableClock();
    const [near, far] = databases.map(({ db }, at) => createThrottle({ db, clock, redis: counting.redis?.[at] }));
    if (near === undefined || far === undefined) throw new Error("two nodes are needed");
    const { db } = databases[0];
    scene = { db, clock, near, far, devices: createKnownDevices({ db, clock }) };
  });
  afterAll(() => counting.close());
  guessing(() => scene);
  knownBrowsers(() => scene);
  theEnd(() => scene);
  windows(() => scene);
  storage(() => scene);
}

let counter = 0;
const freshAddress = (): string => `2001:db8:${randomBytes(2).toString("hex")}:${(counter += 1).toString(16)}::1`;
const freshEmail = (): string => `person-${randomBytes(6).toString("hex")}@example.com`;

async function addPerson({ db, clock }: Scene): Promise<Person> {
  const [id, emailFolded] = [randomBytes(16).toString("base64url"), freshEmail()];
  const now = new Date(clock.nowMs());
  await sql`insert into accounts (id, email, email_folded, name, password_hash, password_changed_at, created_at, updated_at)
    values (${id}, ${emailFolded}, ${emailFolded}, 'Alice', '', ${now}, ${now}, ${now})`.execute(db);
  return { id, emailFolded };
}

type Where = { readonly browserToken?: string | undefined; readonly address?: string };

const tryAt = (throttle: Throttle, emailFolded: string, { browserToken, address = freshAddress() }: Where = {}) =>
  throttle.count({ emailFolded, address, browserToken });

/** As many failures as there may be, each when its time has come. */
async function failTimes({ near, clock }: Scene, emailFolded: string, times: number, where: Where = {}): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    const verdict = await tryAt(near, emailFolded, where);
    if (verdict.verdict === "open") continue;
    clock.passSeconds(verdict.retryAfterSeconds);
    expect(await tryAt(near, emailFolded, where)).toMatchObject({ verdict: "open" });
  }
}

function guessing(scene: () => Scene): void {
  test("200 parallel tries over two nodes are evaluated ten times, and told of once [ASVS 6.3.1]", async () => {
    const { near, far } = scene();
    for (const emailFolded of [(await addPerson(scene())).emailFolded, freshEmail()]) {
      const tries = Array.from({ length: 200 }, (_, at) => tryAt(at % 2 === 0 ? near : far, emailFolded));
      const settled = await Promise.allSettled(tries);
      // A database that is too busy to answer has let nobody through, and may have counted.
      const unanswered = settled.filter(({ status }) => status === "rejected").length;
      const verdicts = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      const open = verdicts.filter(({ verdict }) => verdict === "open").length;
      expect(open).toBeLessThanOrEqual(10);
      expect(open + unanswered).toBeGreaterThanOrEqual(10);
      const told = verdicts.filter((one) => one.verdict === "closed" && one.isFirst).length;
      expect(told).toBeLessThanOrEqual(1);
      expect(told + unanswered).toBeGreaterThanOrEqual(1);
    }
  });

  test("a node whose clock is behind, or an attempt that waited for its turn, is not refused for nothing", async () => {
    const { near, db, clock } = scene();
    const late = createThrottle({ db, clock: { nowMs: () => clock.nowMs() - 5_000 } });
    const { emailFolded } = await addPerson(scene());
    for (let round = 0; round < 5; round += 1) {
      for (const node of [near, late]) expect(await tryAt(node, emailFolded)).toMatchObject({ verdict: "open" });
    }
    for (const node of [near, late]) expect(await tryAt(node, emailFolded)).toMatchObject({ verdict: "closed" });
  });

  test("waits grow from nothing to an hour, and tries in between do not lengthen them", async () => {
    const { near, clock } = scene();
    const { emailFolded } = await addPerson(scene());
    await failTimes(scene(), emailFolded, FREE_TRIES);
    const waits: number[] = [];
    for (let count = 0; count < 6; count += 1) {
      expect(await tryAt(near, emailFolded)).toMatchObject({ verdict: "open" });
      const closed = await tryAt(near, emailFolded);
      const seconds = closed.verdict === "closed" ? closed.retryAfterSeconds : 0;
      waits.push(seconds / MINUTE);
      clock.passSeconds(seconds - 1);
      expect(await tryAt(near, emailFolded)).toMatchObject({ retryAfterSeconds: 1, isFirst: false });
      clock.passSeconds(1);
    }
    expect(waits).toEqual([15, 20, 30, 45, 60, 60]);
  });

  test("a success begins anew where it was, and the count of an address that nobody has is its own", async () => {
    const { near } = scene();
    const { emailFolded } = await addPerson(scene());
    for (let round = 0; round < 3; round += 1) {
      await failTimes(scene(), emailFolded, FREE_TRIES - 1);
      const right = await tryAt(near, emailFolded);
      if (right.verdict === "open") await near.forgive(right.guess);
    }
    await failTimes(scene(), freshEmail(), FREE_TRIES);
    expect(await tryAt(near, emailFolded)).toMatchObject({ verdict: "open" });
  });
}

function knownBrowsers(scene: () => Scene): void {
  test.each(["factor", "password"] as const)(
    "strangers do not delay a person in a browser that a %s was proved in [ASVS 6.3.1]",
    async (provedBy) => {
      const { near, devices } = scene();
      const alice = await addPerson(scene());
      const browserToken = await devices.note(alice.id, undefined, { provedBy });
      await failTimes(scene(), alice.emailFolded, FREE_TRIES + 1);
      expect(await tryAt(near, alice.emailFolded)).toMatchObject({ verdict: "closed", by: "account" });
      const home = await tryAt(near, alice.emailFolded, { browserToken });
      expect(home).toMatchObject({ verdict: "open" });
      // What she proves at home is no help to strangers, who could wait for it.
      if (home.verdict === "open") await near.forgive(home.guess);
      expect(await tryAt(near, alice.emailFolded)).toMatchObject({ verdict: "closed" });
    },
  );

  test("a browser known to somebody else, or a made-up cookie, is a stranger's", async () => {
    const { near, devices } = scene();
    const [alice, bob] = [await addPerson(scene()), await addPerson(scene())];
    const bobs = await devices.note(bob.id, undefined);
    await failTimes(scene(), alice.emailFolded, FREE_TRIES + 1);
    for (const browserToken of [bobs, "x".repeat(43), "'; drop table accounts", "\0"]) {
      expect(await tryAt(near, alice.emailFolded, { browserToken })).toMatchObject({ verdict: "closed" });
    }
  });

  test("a known browser has tries of its own that end, too: then it is a stranger's until its person is back", async () => {
    const { near, db, devices } = scene();
    const alice = await addPerson(scene());
    const browserToken = await devices.note(alice.id, undefined);
    await failTimes(scene(), alice.emailFolded, 20, { browserToken });
    // What follows counts with the strangers'.
    await failTimes(scene(), alice.emailFolded, FREE_TRIES + 1, { browserToken });
    expect(await tryAt(near, alice.emailFolded)).toMatchObject({ verdict: "closed" });
    await near.release(db, alice.emailFolded);
    expect(await tryAt(near, alice.emailFolded, { browserToken })).toMatchObject({ verdict: "open" });
  });

  test("a browser that only saw an older password has no tries of its own at the new one", async () => {
    const { near, db, clock, devices } = scene();
    const alice = await addPerson(scene());
    const [seen, proved] = [
      await devices.note(alice.id, undefined, { provedBy: "password" }),
      await devices.note(alice.id, undefined, { provedBy: "factor" }),
    ];
    clock.passSeconds(1);
    await sql`update accounts set password_changed_at = ${new Date(clock.nowMs())} where id = ${alice.id}`.execute(db);
    await failTimes(scene(), alice.emailFolded, FREE_TRIES + 1);
    expect(await tryAt(near, alice.emailFolded, { browserToken: seen })).toMatchObject({ verdict: "closed" });
    expect(await tryAt(near, alice.emailFolded, { browserToken: proved })).toMatchObject({ verdict: "open" });
  });
}

function theEnd(scene: () => Scene): void {
  test("a hundred failures in a row are the end, for strangers, until the password is reset [SP 800-63B-4 3.2.2]", async () => {
    const { near, far, db, clock, devices } = scene();
    const alice = await addPerson(scene());
    await failTimes(scene(), alice.emailFolded, FAILURES_MAX - 1);
    clock.passSeconds(HOUR);
    expect(await tryAt(near, alice.emailFolded)).toMatchObject({ verdict: "open", isLast: true });
    clock.passSeconds(HOUR);
    const closed = { verdict: "closed", needsReset: true, retryAfterSeconds: HOUR };
    expect(await tryAt(near, alice.emailFolded)).toMatchObject({ ...closed, isFirst: true });
    clock.passSeconds(365 * DAY);
    await near.sweep();
    expect(await tryAt(far, alice.emailFolded)).toMatchObject({ ...closed, isFirst: false });
    const browserToken = await devices.note(alice.id, undefined);
    expect(await tryAt(near, alice.emailFolded, { browserToken })).toMatchObject({ verdict: "open" });

    // With the change that it belongs to, or not at all.
    const undone = db.transaction().execute(async (tx) => {
      expect(await near.release(tx, alice.emailFolded)).toBe(true);
      throw new Error("the reset failed");
    });
    await expect(undone).rejects.toThrow("the reset failed");
    expect(await tryAt(near, alice.emailFolded)).toMatchObject(closed);
    expect(await near.release(db, alice.emailFolded)).toBe(true);
    expect(await near.release(db, alice.emailFolded)).toBe(false);
    expect(await tryAt(near, alice.emailFolded)).toMatchObject({ verdict: "open", isLast: false });
  });

  test("an address that nobody has comes to the same end [ASVS 6.3.8]", async () => {
    const { near } = scene();
    const emailFolded = freshEmail();
    await failTimes(scene(), emailFolded, FAILURES_MAX);
    expect(await tryAt(near, emailFolded)).toMatchObject({ verdict: "closed", needsReset: true });
  });
}

function windows(scene: () => Scene): void {
  test("50 tries a minute from one network, over two nodes, and the account is not touched by the rest", async () => {
    const { near, far, clock } = scene();
    const alice = await addPerson(scene());
    const address = freshAddress();
    const tries = Array.from({ length: 120 }, (_, at) => tryAt(at % 2 === 0 ? near : far, freshEmail(), { address }));
    const verdicts = await Promise.all(tries);
    expect(verdicts.filter(({ verdict }) => verdict === "open")).toHaveLength(50);
    expect(verdicts.filter((one) => one.verdict === "closed" && one.isFirst)).toHaveLength(1);
    const sibling = address.replace("::1", "::ffff:2");
    for (let count = 0; count < FREE_TRIES + 5; count += 1) {
      expect(await tryAt(near, alice.emailFolded, { address: sibling })).toMatchObject({ by: "address" });
    }
    expect(await tryAt(near, alice.emailFolded)).toMatchObject({ verdict: "open" });
    clock.passSeconds(MINUTE);
    expect(await tryAt(near, freshEmail(), { address })).toMatchObject({ verdict: "open" });
  });

  test("200 failures an hour from one network; who succeeds there does not count as one [ASVS 6.3.1]", async () => {
    const { near, clock } = scene();
    const [office, address] = [freshAddress(), freshAddress()];
    let evaluated = 0;
    // As fast as the limit of a minute lets them, for most of an hour.
    for (let minute = 0; minute < 10; minute += 1) {
      for (let count = 0; count < 45; count += 1) {
        if ((await tryAt(near, freshEmail(), { address })).verdict === "open") evaluated += 1;
        const person = await tryAt(near, freshEmail(), { address: office });
        expect(person).toMatchObject({ verdict: "open" });
        if (person.verdict === "open") await near.forgive(person.guess);
      }
      clock.passSeconds(MINUTE);
    }
    expect(evaluated).toBeLessThanOrEqual(400);
    expect(evaluated).toBeGreaterThanOrEqual(200);
  });

  test("mails are limited by whom they go to and by kind, whoever asks [ASVS 6.3.1]", async () => {
    const { near, far, clock } = scene();
    const emailFolded = freshEmail();
    const ask = (kind: "reset" | "registration", throttle = near) =>
      throttle.countMailRequest({ emailFolded, kind, address: freshAddress() });
    for (let count = 0; count < 5; count += 1) {
      expect(await ask("registration", count % 2 === 0 ? near : far)).toEqual({ verdict: "open" });
    }
    expect(await ask("registration")).toMatchObject({ verdict: "closed", by: "account", retryAfterSeconds: HOUR });
    expect(await ask("reset")).toEqual({ verdict: "open" });
    clock.passSeconds(HOUR);
    expect(await ask("registration")).toEqual({ verdict: "open" });
  });

  test("mails, codes and registrations are limited by network, each for itself", async () => {
    const { near } = scene();
    const address = freshAddress();
    const limits = [
      [30, () => near.countMailRequest({ emailFolded: freshEmail(), kind: "reset", address })],
      [60, () => near.countCode({ address })],
      [30, () => near.countRegistration(address)],
    ] as const;
    for (const [attemptsMax, ask] of limits) {
      for (let count = 0; count < attemptsMax; count += 1) expect(await ask()).toEqual({ verdict: "open" });
      expect(await ask()).toMatchObject({ verdict: "closed", by: "address", isFirst: true });
      expect(await ask()).toMatchObject({ verdict: "closed", isFirst: false });
    }
    expect(await tryAt(near, freshEmail(), { address })).toMatchObject({ verdict: "open" });
  });

  test("a client is limited in the network where it fails, and nowhere else", async () => {
    const { near } = scene();
    const address = freshAddress();
    const fail = (clientId: string | undefined, from = address) => near.countClientFailure({ clientId, address: from });
    for (let count = 0; count < 30; count += 1) expect(await fail("desk")).toEqual({ verdict: "open" });
    expect(await fail("desk")).toMatchObject({ verdict: "closed", by: "address" });
    for (const other of [fail("shop"), fail(undefined), fail("desk", freshAddress())]) {
      expect(await other).toEqual({ verdict: "open" });
    }
  });
}

function storage(scene: () => Scene): void {
  const countRows = async (db: Db): Promise<number> => {
    const { rows } = await sql<{ count: string | number }>`
      select (select count(*) from consecutive_failures) + (select count(*) from account_throttle) as count`.execute(
      db,
    );
    return Number(rows[0]?.count);
  };

  test("every count expires, nothing before its time, and no address is stored", async () => {
    const { near, db, clock } = scene();
    await sql`delete from consecutive_failures`.execute(db);
    await sql`delete from account_throttle`.execute(db);
    const [alice, stranger] = [await addPerson(scene()), freshEmail()];
    const address = freshAddress();
    await failTimes(scene(), alice.emailFolded, 3, { address });
    await failTimes(scene(), stranger, 3, { address });
    await near.countMailRequest({ emailFolded: stranger, kind: "reset", address });
    const { rows } = await sql<{ text: string }>`
      select subject || device as text from consecutive_failures union all select key from account_throttle`.execute(
      db,
    );
    for (const { text } of rows) expect(text).not.toMatch(/@|2001:/);
    clock.passSeconds(90 * DAY - 1);
    await near.sweep();
    expect(await countRows(db)).toBe(2);
    clock.passSeconds(1);
    expect(await near.sweep()).toBe(2);
    expect(await countRows(db)).toBe(0);
    expect(await near.sweep()).toBe(0);
  });

  test("a count that is over and not swept yet begins anew", async () => {
    const { near, clock } = scene();
    const { emailFolded } = await addPerson(scene());
    await failTimes(scene(), emailFolded, FREE_TRIES);
    clock.passSeconds(90 * DAY);
    await failTimes(scene(), emailFolded, FREE_TRIES);
    expect(await tryAt(near, emailFolded)).toMatchObject({ verdict: "open" });
  });
}
