import { verify as verifySignature } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sql } from "kysely";
import { createAudit } from "../../src/audit/index.ts";
import { createKeySeals } from "../../src/core/index.ts";
import { SIGNATURE_ALGORITHMS } from "../../src/clients/index.ts";
import { createKeyRing, createSigningKeyCommands, type KeyRing } from "../../src/oidc/index.ts";
import type { ExternalKeys, KeyTimes } from "../../src/oidc/keys/index.ts";
import { createRevocations } from "../../src/sessions/index.ts";
import type { Database } from "../../src/storage/index.ts";
import { emptyAuditLog } from "../support/audit-log.ts";
import { createMovableClock } from "../support/movable-clock.ts";
import type { RevocationGround } from "./revocations.contract.ts";

const DAY = 24 * 60 * 60;
const SECRET = "s".repeat(40);
const TIMES: KeyTimes = { rotationSeconds: 90 * DAY, leadSeconds: 600, hintSeconds: 14 * DAY };
const TAKEN_UP = { timeout: 1_500, interval: 5 };

export interface NodeOptions {
  readonly secrets?: readonly string[];
  readonly externalKeys?: ExternalKeys;
  /** Between database and ring, to make one fail. */
  readonly followingDb?: Database["followingDb"];
  /** An hour, to show that a node that is woken does not wait for it. */
  readonly lookEveryMs?: number;
}

/** What keys do on a real database, whichever of several nodes comes first. */
export function describeKeyRotation(openGround: () => Promise<RevocationGround>): void {
  describe("signing keys of a deployment", () => {
    let ground: RevocationGround;
    let clock: ReturnType<typeof createMovableClock>;
    let rings: KeyRing[];
    let failures: string[];
    beforeAll(async () => {
      ground = await openGround();
    });
    afterAll(() => ground.close());
    beforeEach(async () => {
      const { db } = await ground.connect();
      await sql`truncate oidc_signing_keys, revocations`.execute(db);
      await emptyAuditLog(db);
      clock = createMovableClock();
      rings = [];
      failures = [];
    });
    afterEach(async () => {
      await Promise.all(rings.map((ring) => ring.close()));
      expect(failures).toEqual([]);
    });

    async function startRing(options: NodeOptions = {}): Promise<KeyRing> {
      const database = await ground.connect();
      const { followingDb = database.followingDb, secrets = [SECRET], lookEveryMs = 3_600_000 } = options;
      const ring = createKeyRing({
        ...parts(database),
        database: { db: database.db, followingDb, listen: (...given) => database.listen(...given) },
        secrets,
        times: TIMES,
        externalKeys: options.externalKeys,
        reportFailure: (error, what) => void failures.push(`${what}: ${String(error)}`),
        lookEveryMs,
      });
      rings.push(ring);
      await ring.start();
      return ring;
    }

    function parts({ db }: Pick<Database, "db">) {
      return { db, clock, audit: createAudit({ db, clock }), revocations: createRevocations({ db, clock }) };
    }

    async function commands(secrets: readonly string[] = [SECRET]) {
      const seals = createKeySeals(secrets, "signing-key");
      const given = { ...parts(await ground.connect()), externalKeys: undefined, seals, times: TIMES };
      return createSigningKeyCommands(given);
    }

    const kidsOf = ({ keys }: KeyRing): readonly string[] => keys.map(({ kid }) => kid);
    const signersOf = ({ keys }: KeyRing): readonly string[] =>
      keys.flatMap(({ kid, key_ops }) => (key_ops === undefined ? [kid] : []));
    const states = async () => (await (await commands()).list()).map(({ algorithm, state }) => `${algorithm} ${state}`);
    const inEach = (...expected: readonly string[]) =>
      SIGNATURE_ALGORITHMS.flatMap((algorithm) => expected.map((state) => `${algorithm} ${state}`));
    async function events(): Promise<Readonly<Record<string, number>>> {
      const { rows } = await sql<{ type: string; count: number }>`
        select type, count(*)::int as count from audit_events group by type order by type`.execute(
        (await ground.connect()).db,
      );
      return Object.fromEntries(rows.map(({ type, count }) => [type, count]));
    }

    async function expectSignatures(ring: KeyRing): Promise<void> {
      const data = Buffer.from("header.payload");
      const signing = ring.keys.filter(({ key_ops }) => key_ops === undefined);
      expect(signing).toHaveLength(SIGNATURE_ALGORITHMS.length);
      const key = signing.find(({ alg }) => alg === "ES256");
      const publicKey = key?.keyObject();
      const signature = (await key?.sign(data)) ?? Buffer.alloc(0);
      if (publicKey === undefined) throw new Error("there is no key");
      expect(verifySignature("sha256", data, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
    }

    test("nodes that start at once make one current and one next key for each algorithm, and all have the same", async () => {
      const nodes = await Promise.all([startRing(), startRing(), startRing()]);
      expect(await states()).toEqual(inEach("current", "next"));
      for (const node of nodes) {
        await expect.poll(() => kidsOf(node), TAKEN_UP).toEqual(kidsOf(nodes[0]));
        await expectSignatures(node);
      }
      expect(await events()).toEqual({ signing_key_created: 8 });
    });

    test("of nodes that see at once what is due one does it, and each has it within a second", async () => {
      const nodes = await Promise.all([startRing(), startRing(), startRing()]);
      const before = signersOf(nodes[0]);
      clock.passSeconds(90 * DAY);
      await wakeAll();
      for (const node of nodes) {
        await expect.poll(() => signersOf(node), TAKEN_UP).not.toEqual(before);
        expect(kidsOf(node)).toEqual(expect.arrayContaining([...before]));
        await expectSignatures(node);
      }
      await expect.poll(states, TAKEN_UP).toEqual(inEach("current", "next", "retired"));
      expect(await events()).toEqual({
        signing_key_rotated: 4,
        signing_key_created: 12,
        signing_key_retired: 4,
      });
    });

    /** As any change by any node does. */
    async function wakeAll(): Promise<void> {
      await sql`select pg_notify('latchkey_signing_keys', '')`.execute((await ground.connect()).db);
    }

    test("a retired key has no private half any more, and goes when its last token has expired", async () => {
      const node = await startRing();
      const before = signersOf(node);
      clock.passSeconds(90 * DAY);
      await wakeAll();
      await expect.poll(states, TAKEN_UP).toEqual(inEach("current", "next", "retired"));
      const { rows } = await sql<{ sealed: number }>`
        select count(sealed_private_jwk)::int as sealed from oidc_signing_keys where state = 'retired'`.execute(
        (await ground.connect()).db,
      );
      expect(rows).toEqual([{ sealed: 0 }]);
      clock.passSeconds(14 * DAY);
      // Does what is due before it is there.
      await startRing();
      expect(await states()).toEqual(inEach("current", "next", "retired"));
      clock.passSeconds(600);
      await wakeAll();
      await expect.poll(() => kidsOf(node), TAKEN_UP).not.toEqual(expect.arrayContaining([...before]));
      expect(await states()).toEqual(inEach("current", "next"));
      expect((await events())["signing_key_deleted"]).toBe(4);
    });

    test("a key stays for as long as any access token lives, of a resource server that was removed too", async () => {
      const { db } = await ground.connect();
      const tokenSeconds = 30 * DAY;
      await sql`insert into access_token_lives (resource_server, seconds) values ('urn:slow', ${tokenSeconds})`.execute(
        db,
      );
      try {
        await startRing();
        clock.passSeconds(90 * DAY);
        await wakeAll();
        await expect.poll(states, TAKEN_UP).toEqual(inEach("current", "next", "retired"));
        const due = (await (await commands()).list()).filter(({ state }) => state === "retired");
        for (const { dueAt } of due) {
          expect(dueAt?.getTime()).toBeGreaterThan(clock.nowMs() + tokenSeconds * 1_000);
        }
      } finally {
        await sql`truncate access_token_lives`.execute(db);
      }
    });

    test("a leaked key is withdrawn everywhere at once: forgotten, announced and replaced", async () => {
      const nodes = [await startRing(), await startRing()] as const;
      const leaked = signersOf(nodes[0]);
      const { withdrawn, activated, unseen } = await (await commands()).replace({ nextToo: false });
      expect([...withdrawn].toSorted()).toEqual([...leaked].toSorted());
      // They are younger than the lead.
      expect(unseen).toEqual(SIGNATURE_ALGORITHMS);
      for (const node of nodes) {
        await expect.poll(() => [...signersOf(node)].toSorted(), TAKEN_UP).toEqual([...activated].toSorted());
        for (const kid of leaked) expect(kidsOf(node)).not.toContain(kid);
      }
      const { rows } = await sql<{ value: string }>`select value from revocations where kind = 'key'`.execute(
        (await ground.connect()).db,
      );
      expect(rows.map(({ value }) => value).toSorted()).toEqual([...leaked].toSorted());
      expect((await events())["signing_key_withdrawn"]).toBe(4);
    });

    test("a node refuses to sign with a key that was withdrawn while a request held it", async () => {
      const node = await startRing();
      const held = node.keys.filter(({ key_ops }) => key_ops === undefined);
      const { activated } = await (await commands()).replace({ nextToo: true, algorithms: ["ES256"] });
      expect(activated).toEqual([]);
      const es256 = held.find(({ alg }) => alg === "ES256");
      await expect.poll(() => kidsOf(node), TAKEN_UP).not.toContain(es256?.kid);
      await expect(es256?.sign(Buffer.from("x"))).rejects.toMatchObject({ code: "SIGNING_UNAVAILABLE", status: 503 });
      await expectSignatures(node);
    });

    test("a request that chose its key just before the rotation is answered, one that stood still for long is not", async () => {
      const node = await startRing({ lookEveryMs: 20 });
      const held = node.keys.find(({ alg, key_ops }) => alg === "ES256" && key_ops === undefined);
      clock.passSeconds(600);
      const { retired } = await (await commands()).rotate(["ES256"]);
      expect(retired).toEqual([held?.kid]);
      await expect.poll(() => signersOf(node), TAKEN_UP).not.toContain(held?.kid);
      await expect(held?.sign(Buffer.from("x"))).resolves.toHaveLength(64);
      clock.passSeconds(5);
      await expect(held?.sign(Buffer.from("x"))).rejects.toMatchObject({ code: "SIGNING_UNAVAILABLE" });
    });

    test("by hand a key that services may not know yet does not sign, and nothing else happens to it", async () => {
      await startRing();
      const before = await states();
      await expect((await commands()).rotate()).rejects.toMatchObject({
        code: "KEY_NOT_READY",
        detail: expect.stringMatching(/before \d{4}-\d\d-\d\dT[\d:]+Z; .* --emergency/),
      });
      expect(await states()).toEqual(before);
      clock.passSeconds(600);
      expect((await (await commands()).rotate(["ES256"])).activated).toHaveLength(1);
    });

    test("a next key that is taken away has a successor, a current one cannot be, and no other is there", async () => {
      const node = await startRing();
      const operator = await commands();
      const [current, next] = (await operator.list()).filter(({ algorithm }) => algorithm === "ES256");
      expect(await operator.retire(next?.kid ?? "")).toEqual({ kid: next?.kid, state: "next" });
      await expect.poll(() => kidsOf(node), TAKEN_UP).not.toContain(next?.kid);
      expect(await states()).toEqual(inEach("current", "next"));
      await expect(operator.retire(current?.kid ?? "")).rejects.toMatchObject({ code: "KEY_IN_USE" });
      await expect(operator.retire("made-up")).rejects.toMatchObject({ code: "KEY_NOT_FOUND" });
    });

    test("a node that cannot look signs for a few seconds more, then nothing, and signs again when it can", async () => {
      const { followingDb } = await ground.connect();
      const isAway = { now: false };
      const faulty = followingDb.withPlugin({
        transformQuery({ node }) {
          if (isAway.now) throw Object.assign(new Error("Connection terminated"), { code: "ECONNRESET" });
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      const node = await startRing({ followingDb: faulty });
      isAway.now = true;
      const key = node.keys.find(({ alg, key_ops }) => alg === "ES256" && key_ops === undefined);
      clock.passSeconds(4);
      expect(node.isConfirmed()).toBe(true);
      await expect(key?.sign(Buffer.from("x"))).resolves.toHaveLength(64);
      clock.passSeconds(1);
      expect(node.isConfirmed()).toBe(false);
      await expect(key?.sign(Buffer.from("x"))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", status: 503 });
      // Set back, a clock must not make what was read fresh.
      clock.passSeconds(-3_600);
      expect(node.isConfirmed()).toBe(false);
      isAway.now = false;
      await expect(key?.sign(Buffer.from("x"))).resolves.toHaveLength(64);
      // Told once, whether or not it happened to look meanwhile.
      expect(failures.splice(0).length).toBeLessThanOrEqual(1);
    });

    test("a new secret comes in without any order: nodes with the old one go on, start, and read what others make", async () => {
      const fresh = "n".repeat(40);
      const old = await startRing();
      const both = await startRing({ secrets: [fresh, SECRET] });
      await both.reseal();
      clock.passSeconds(600);
      await (await commands([fresh, SECRET])).rotate();
      const started = await startRing();
      for (const node of [old, both, started]) {
        await expect.poll(() => kidsOf(node), TAKEN_UP).toHaveLength(12);
        await expectSignatures(node);
      }
      // Everywhere now; then the old one goes.
      await (await startRing({ secrets: [fresh] })).reseal();
      await expectSignatures(await startRing({ secrets: [fresh] }));
      await expect(startRing()).rejects.toMatchObject({ code: "SECRET_UNKNOWN" });
      expect(failures.splice(0)).toEqual([expect.stringContaining("LATCHKEY_SECRET")]);
    });
  });
}
