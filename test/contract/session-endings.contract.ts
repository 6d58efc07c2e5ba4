import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AppError, systemClock } from "../../src/core/index.ts";
import { newTag, newTaggedSecret, signInKey } from "../../src/oidc/adapter/identifiers.ts";
import type { ProtocolStore } from "../../src/oidc/adapter/index.ts";
import { createRevocations } from "../../src/sessions/index.ts";
import { addAccount, type Ground, LIFETIME_MAX_SECONDS, secondsFromNow, type StoreConnection } from "./grounds.ts";
import {
  codePayload,
  createNode,
  grantPayload,
  issueRefreshToken,
  type Node,
  request,
  rotate,
  SESSION_SECONDS,
  sessionPayload,
  type SignIn,
  signIn,
  type SignInOptions,
} from "./library.ts";
import { lastRevocation, readEvents, readRevocations, readRow, type Record } from "./session-records.ts";

const ALICE = "kR3vVb7mSTy0Hq2Ck9yW5Q";
const BOB = "bob";
const API = "https://billing.example.com";

/** Sessions are seen, and end, in one order on every store: noted, told, cleared. */
export function sessionEndingsContract(openGround: () => Promise<Ground>): void {
  let ground: Ground;
  let connection: StoreConnection;
  let node: Node;
  let other: Node;
  beforeAll(async () => {
    ground = await openGround();
    connection = await ground.connect();
    [node, other] = [createNode(ground, connection), createNode(ground, await ground.connect())];
    await addAccount(connection.db, ALICE);
    await addAccount(connection.db, BOB);
  });
  beforeEach(async () => {
    await ground.clear();
    await sql`delete from sessions`.execute(connection.db);
  });
  afterAll(() => ground.close());

  const alice = (clientIds: readonly string[] = ["shopWeb"], more: Partial<SignInOptions> = {}): Promise<SignIn> =>
    signIn(node, { accountId: ALICE, clientIds, ...more });
  const offline = async (): Promise<SignIn> => {
    const made = await alice(["shopWeb", "reportsCli"], { persistent: ["reportsCli"] });
    const id = made.grantIds["reportsCli"] ?? "";
    const payload = { ...grantPayload(node, made, "reportsCli"), openid: { scope: "openid offline_access" } };
    await request(node, () => node.model("Grant").upsert(id, payload, SESSION_SECONDS));
    return made;
  };
  const findSession = (of: SignIn) => request(other, () => other.model("Session").find(of.sessionId));
  const findGrant = (of: SignIn, clientId: string) =>
    request(other, () => other.model("Grant").find(of.grantIds[clientId] ?? ""));
  const forgetAccount = (accountId: string) =>
    connection.db.transaction().execute((tx) => node.sessions.forgetAccount(tx, accountId));
  const signOut = (of: SignIn) => request(node, () => node.model("Session").destroy(of.sessionId));

  async function recordsOf(run: () => Promise<unknown>): Promise<readonly Record[]> {
    const before = await lastRevocation(connection.db);
    await run();
    return readRevocations(connection.db, before);
  }

  const away = async (): Promise<never> => {
    throw new AppError("STORE_UNAVAILABLE");
  };

  /** A node whose store answers nothing from now on, or from when it is told to. */
  function nodeWithoutStore(): Node {
    return createNode(ground, connection, {
      store: { read: (keys) => connection.store.read(keys), change: away, delete: away },
    });
  }

  describe("the list of an account's sessions", () => {
    test("tells of each living one when it was used, for which clients and APIs, and how it began", async () => {
      const made = await alice(["shopWeb", "reportsCli"]);
      const [summary] = await other.sessions.list(ALICE);
      expect(summary).toMatchObject({
        id: made.tag,
        acr: "urn:example:acr:one-factor",
        amr: ["pwd"],
        begunBy: "shopWeb",
        clientIds: ["reportsCli", "shopWeb"],
        audiences: [API],
      });
      expect(summary?.createdAt.getTime()).toBe(Math.floor(ground.clock.nowMs() / 1000) * 1000);
      expect(await other.sessions.list(BOB)).toEqual([]);
    });

    test("leaves out those that ended, and those that are over by themselves", async () => {
      const [ended, lapsed, living] = [await alice(), await alice([], { lifetimeSeconds: 1 }), await alice()];
      await node.sessions.end(ALICE, ended.tag, "ended_by_person");
      await ground.passBrief();
      const ids = (await node.sessions.list(ALICE)).map(({ id }) => id);
      expect(ids).toEqual([living.tag]);
      expect(ids).not.toContain(lapsed.tag);
    });
  });

  describe("an ending", () => {
    test("of one session ends all that hangs on it and nothing of another, and is told once", async () => {
      const [desk, phone, bobs] = [
        await alice(),
        await alice(),
        await signIn(node, { accountId: BOB, clientIds: ["shopWeb"] }),
      ];
      const token = await issueRefreshToken(node, desk, "shopWeb");
      const records = await recordsOf(() => other.sessions.end(ALICE, desk.tag, "ended_by_person"));
      expect(records).toEqual([{ kind: "session", value: desk.tag, audiences: [API] }]);
      expect(await findSession(desk)).toBeUndefined();
      expect(await request(node, () => node.model("RefreshToken").find(token))).toBeUndefined();
      for (const living of [phone, bobs]) expect(await findSession(living)).toBeDefined();
      expect(await readEvents(connection.db, desk.tag)).toEqual(["session_started", "session_ended"]);
      expect(await readRow(connection.db, desk.tag)).toEqual({
        reason: "ended_by_person",
        scope: "whole",
        waiting: false,
      });
    });

    test("of somebody else's session, or of none, is refused as not found", async () => {
      const made = await alice();
      for (const [owner, id] of [
        [BOB, made.tag],
        [ALICE, newTag()],
      ] as const) {
        const refused = other.sessions.end(owner, id, "ended_by_person");
        await expect(refused).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      }
      expect(await findSession(made)).toBeDefined();
    });

    test("of all others leaves the one that is kept", async () => {
      const [kept, lost] = [await alice(), await alice()];
      expect(await node.sessions.endOthers(ALICE, kept.tag, "ended_by_person")).toEqual({
        endedIds: [lost.tag],
        isComplete: true,
      });
      expect(await findSession(kept)).toBeDefined();
      expect(await findSession(lost)).toBeUndefined();
    });

    test("of all that an account has also revokes its tokens where the person is meant", async () => {
      const made = await alice();
      const records = await recordsOf(() => node.sessions.endAll(ALICE, "account_disabled"));
      expect(records).toEqual([
        { kind: "account", value: ALICE, audiences: null },
        { kind: "session", value: made.tag, audiences: [API] },
      ]);
      expect(await recordsOf(() => node.sessions.endAll(BOB, "ended_by_operator"))).toEqual([]);
    });

    test("of everybody's sessions revokes every token", async () => {
      const [alices, bobs] = [await alice(), await signIn(node, { accountId: BOB, clientIds: [] })];
      const records = await recordsOf(() => node.sessions.endEverybodys("revoked_by_operator"));
      expect(records.filter(({ kind }) => kind === "epoch")).toHaveLength(2);
      for (const made of [alices, bobs]) expect(await findSession(made)).toBeUndefined();
    });

    test("at a sign-out leaves what was given for longer, and later as a whole names it", async () => {
      const made = await offline();
      const atSignOut = await recordsOf(() => signOut(made));
      expect(atSignOut).toEqual([{ kind: "session", value: made.tag, audiences: [API] }]);
      expect(await findGrant(made, "shopWeb")).toBeUndefined();
      expect(await findGrant(made, "reportsCli")).toBeDefined();
      expect(await recordsOf(() => signOut(made))).toEqual([]);
      const later = await recordsOf(() => node.sessions.endAll(ALICE, "ended_by_operator"));
      expect(later).toContainEqual({ kind: "consent", value: made.grantIds["reportsCli"], audiences: [API] });
      expect(await findGrant(made, "reportsCli")).toBeUndefined();
      expect(await readEvents(connection.db, made.tag)).toEqual(["session_started", "session_ended"]);
    });

    test("tells apps in the same transaction, with the clients of the session", async () => {
      const told: unknown[] = [];
      const teller = createNode(ground, connection, { onSessionEnd: async (_tx, ended) => void told.push(ended) });
      const made = await alice(["shopWeb", "reportsCli"]);
      await teller.sessions.endAll(ALICE, "ended_by_operator");
      expect(told).toEqual([
        { accountId: ALICE, sessionId: made.tag, clientIds: expect.arrayContaining(["shopWeb", "reportsCli"]) },
      ]);
    });

    test("that many ask for at once is carried out once", async () => {
      const made = await alice();
      const records = await recordsOf(() =>
        Promise.all([node, other, node, other].map((one) => one.sessions.endAll(ALICE, "ended_by_operator"))),
      );
      // Who comes while it is being carried out helps to complete it, and may tell of it again.
      expect(new Set(records.map(({ kind, value }) => `${kind} ${value}`))).toEqual(new Set([`session ${made.tag}`]));
      expect(await readEvents(connection.db, made.tag)).toEqual(["session_started", "session_ended"]);
      expect(await readRow(connection.db, made.tag)).toMatchObject({ waiting: false });
    });

    test("against parallel refreshes leaves no token that works", async () => {
      for (let round = 0; round < ground.raceRounds; round += 1) {
        const made = await alice();
        const token = await issueRefreshToken(node, made, "shopWeb");
        const [refreshed] = await Promise.allSettled([
          rotate(other, token),
          node.sessions.end(ALICE, made.tag, "ended_by_person"),
        ]);
        const last = refreshed.status === "fulfilled" ? refreshed.value : token;
        expect(await request(other, () => other.model("RefreshToken").find(last))).toBeUndefined();
        expect(await connection.store.read([signInKey(newTagOf(made))])).toEqual([new Map()]);
      }
    });
  });

  describe("when something fails in between", () => {
    test("the transaction: everything is as it was", async () => {
      const made = await alice();
      const append = async (): Promise<never> => {
        throw new AppError("STORE_UNAVAILABLE");
      };
      const failing = createNode(ground, connection, { revocations: { append } });
      const ending = failing.sessions.end(ALICE, made.tag, "ended_by_person");
      await expect(ending).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      expect(await findSession(made)).toBeDefined();
      expect(await readEvents(connection.db, made.tag)).toEqual(["session_started"]);
      expect(await readRow(connection.db, made.tag)).toEqual({ reason: null, scope: null, waiting: false });
    });

    test("the store, after the commit: everybody is told already, and any node completes it", async () => {
      const made = await alice();
      const broken = nodeWithoutStore();
      const records = await recordsOf(async () => {
        expect(await broken.sessions.end(ALICE, made.tag, "ended_by_person")).toMatchObject({ isComplete: false });
      });
      // Until it is cleared the cookie might be used for another API, whose services have to refuse what that gives.
      const toSome = { kind: "session", value: made.tag, audiences: [API] };
      expect(records).toEqual([toSome, { ...toSome, audiences: null }]);
      expect(await readRow(connection.db, made.tag)).toMatchObject({ waiting: true });
      expect(await findSession(made)).toBeDefined();
      expect(await broken.sessions.completeEndings()).toBe(0);
      expect(await other.sessions.completeEndings()).toBe(1);
      expect(await findSession(made)).toBeUndefined();
      expect(await other.sessions.completeEndings()).toBe(0);
    });

    test("the node, after the store was cleared and before it told of what turned up: everybody is told", async () => {
      const made = await alice();
      let tells = 0;
      const dying = createNode(ground, connection, {
        store: {
          read: async (keys) =>
            tells === 0 ? keys.map(() => new Map([["o", Buffer.from(ALICE)]])) : connection.store.read(keys),
          change: (key, change) => connection.store.change(key, change),
          delete: (key) => connection.store.delete(key),
        },
        revocations: {
          async append(tx, records) {
            tells += 1;
            if (tells > 1) throw new AppError("STORE_UNAVAILABLE");
            await createRevocations({ db: connection.db, clock: systemClock }).append(tx, records);
          },
        },
      });
      const atEnd = await recordsOf(() =>
        dying.sessions.end(ALICE, made.tag, "ended_by_person").catch(() => undefined),
      );
      // It saw a sign-in to which nothing had been granted yet.
      expect(atEnd).toEqual([{ kind: "session", value: made.tag, audiences: [] }]);
      expect(await connection.store.read([signInKey(newTagOf(made))])).toEqual([new Map()]);
      const completing = await recordsOf(() => other.sessions.completeEndings());
      expect(completing).toEqual([{ kind: "session", value: made.tag, audiences: null }]);
      expect(await recordsOf(() => other.sessions.completeEndings())).toEqual([]);
    });

    test("the store at a sign-out: the person is told to try again, and trying again completes it", async () => {
      const made = await alice();
      const broken = nodeWithoutStore();
      const signingOut = request(broken, () => broken.model("Session").destroy(made.sessionId));
      await expect(signingOut).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      await signOut(made);
      expect(await findSession(made)).toBeUndefined();
      expect(await readRow(connection.db, made.tag)).toMatchObject({ reason: "signed_out", waiting: false });
    });

    test("the store altogether: sessions end all the same, and everybody is told", async () => {
      const made = await alice();
      const blind = createNode(ground, connection, { store: { read: away, change: away, delete: away } });
      const records = await recordsOf(() => blind.sessions.endAll(ALICE, "ended_by_operator"));
      expect(records).toEqual([{ kind: "session", value: made.tag, audiences: null }]);
      await node.sessions.completeEndings();
      expect(await findSession(made)).toBeUndefined();
    });

    test.each([
      ["there is no session", "SessionNotFound", {}],
      ["there is none either where nobody can tell", "AppError", { isOpen: away }],
    ])("the beginning, in which all of the account's sessions ended: %s", async (_, name, index) => {
      const tag = newTag();
      const made: SignIn = { tag, sessionId: newTaggedSecret(tag), accountId: ALICE, grantIds: {} };
      const late = createNode(ground, connection, {
        index,
        store: {
          ...connection.store,
          change: async (...given: Parameters<ProtocolStore["change"]>) => {
            await other.sessions.endAll(ALICE, "ended_by_operator");
            return connection.store.change(...given);
          },
        },
      });
      const beginning = request(late, () =>
        late.model("Session").upsert(made.sessionId, sessionPayload(late, made), SESSION_SECONDS),
      );
      await expect(beginning).rejects.toMatchObject({ name });
      expect(await ground.listKeys()).toEqual([]);
    });
  });

  describe("a store that came back from the past", () => {
    test("is cleared of everything that had ended, and of nothing else", async () => {
      const [ended, halfEnded, living] = [await offline(), await alice(["shopWeb", "reportsCli"]), await alice()];
      const copy = await connection.store.read([ended, halfEnded, living].map((made) => signInKey(newTagOf(made))));
      await node.sessions.endAll(BOB, "ended_by_operator");
      await node.sessions.end(ALICE, ended.tag, "ended_by_person");
      await request(node, () => node.model("Grant").destroy(halfEnded.grantIds["shopWeb"] ?? ""));
      await ground.clear();
      for (const [at, made] of [ended, halfEnded, living].entries()) {
        const set = copy[at] ?? new Map();
        const expiresAt = secondsFromNow(ground.clock, LIFETIME_MAX_SECONDS);
        await connection.store.change(signInKey(newTagOf(made)), { expect: new Map(), set, expiresAt });
      }
      expect(await findSession(ended)).toBeDefined();
      const records = await recordsOf(() => other.sessions.redeliverEndings(0));
      expect(records).toContainEqual({ kind: "session", value: ended.tag, audiences: [API] });
      for (const clientId of ["shopWeb", "reportsCli"]) expect(await findGrant(ended, clientId)).toBeUndefined();
      expect(await findSession(ended)).toBeUndefined();
      expect(await findGrant(halfEnded, "shopWeb")).toBeUndefined();
      expect(await findGrant(halfEnded, "reportsCli")).toBeDefined();
      expect(await findSession(halfEnded)).toBeDefined();
      expect(await findSession(living)).toBeDefined();
    });

    test("that lost some beats is cleared of what was cleared in these, and not once more of all that ever ended", async () => {
      const beat = (count: number) => sql`update revocation_feed set beat = ${count}`.execute(connection.db);
      const [long, before, since] = [await alice(), await alice(), await alice()];
      for (const [at, made] of [long, before, since].entries()) {
        await beat(7 + at);
        await node.sessions.end(ALICE, made.tag, "ended_by_person");
      }
      expect(await other.sessions.redeliverEndings(8)).toBe(2);
      // Both were cleared just now, in the ninth.
      expect(await other.sessions.redeliverEndings(9)).toBe(2);
      expect(await other.sessions.redeliverEndings(10)).toBe(0);
      expect(await other.sessions.redeliverEndings(0)).toBe(3);
      await beat(0);
    });
  });

  describe("a grant that ends", () => {
    test("is told to the APIs that it was for, once, and by whom it was reused where it was", async () => {
      const made = await alice();
      const grantId = made.grantIds["shopWeb"] ?? "";
      const destroy = (): Promise<unknown> => request(node, () => node.model("Grant").destroy(grantId));
      expect(await recordsOf(destroy)).toEqual([{ kind: "consent", value: grantId, audiences: [API] }]);
      expect(await recordsOf(destroy)).toEqual([]);
      expect(await findSession(made)).toBeDefined();
    });

    test("because its code came twice leaves an event that the person can see [RFC 6749 4.1.2]", async () => {
      const made = await alice();
      const code = newTaggedSecret(made.tag);
      await request(node, () => node.model("AuthorizationCode").upsert(code, codePayload(node, made, "shopWeb"), 60));
      await request(node, () => node.model("AuthorizationCode").consume(code));
      await issueRefreshToken(node, made, "shopWeb");
      await request(node, async () => {
        expect(await node.model("AuthorizationCode").find(code)).toHaveProperty("consumed");
        await node.model("Grant").destroy(made.grantIds["shopWeb"] ?? "");
      });
      expect(await readEvents(connection.db, made.tag)).toContain("authorization_code_reused");
    });

    test("is not brought back by a request that had read it and gives it more", async () => {
      const made = await alice();
      const grantId = made.grantIds["shopWeb"] ?? "";
      const widening = request(node, async () => {
        await node.model("Grant").find(grantId);
        await request(other, () => other.model("Grant").destroy(grantId));
        await node.model("Grant").upsert(grantId, grantPayload(node, made, "shopWeb"), SESSION_SECONDS);
      });
      await expect(widening).rejects.toMatchObject({ code: "INTERACTION_EXPIRED" });
      expect(await findGrant(made, "shopWeb")).toBeUndefined();
    });
  });

  describe("an account's rows", () => {
    test("stay while anything of it goes on, sessions or what outlives them", async () => {
      const made = await offline();
      expect(await forgetAccount(ALICE)).toBe(false);
      await signOut(made);
      expect(await forgetAccount(ALICE)).toBe(false);
      expect(await readRow(connection.db, made.tag)).toBeDefined();
      // What is somebody else's is no reason to wait.
      expect(await forgetAccount(BOB)).toBe(true);
    });

    test("stay until the store is cleared of it, and then are forgotten", async () => {
      const made = await offline();
      await node.sessions.endAll(ALICE, "account_deleted");
      await sql`update sessions set endings = endings + 1 where id = ${made.tag}`.execute(connection.db);
      expect(await forgetAccount(ALICE)).toBe(false);
      await node.sessions.completeEndings();
      expect(await forgetAccount(ALICE)).toBe(true);
      expect(await readRow(connection.db, made.tag)).toBeUndefined();
    });
  });

  describe("a consent that is withdrawn", () => {
    test("ends the client's grants in every sign-in, also where the session is over, and nobody else's", async () => {
      const [desk, gone] = [await offline(), await offline()];
      await signOut(gone);
      const records = await recordsOf(() => other.sessions.withdrawConsent(ALICE, "reportsCli"));
      const grantIds = [desk, gone].map((made) => made.grantIds["reportsCli"] ?? "");
      expect(records.map(({ kind, value }) => ({ kind, value }))).toEqual(
        grantIds.toSorted().map((value) => ({ kind: "consent", value })),
      );
      for (const made of [desk, gone]) expect(await findGrant(made, "reportsCli")).toBeUndefined();
      expect(await findGrant(desk, "shopWeb")).toBeDefined();
      expect(await findSession(desk)).toBeDefined();
      expect(await recordsOf(() => other.sessions.withdrawConsent(ALICE, "reportsCli"))).toEqual([]);
    });
  });

  function newTagOf(made: SignIn): Parameters<typeof signInKey>[0] {
    return made.tag as Parameters<typeof signInKey>[0];
  }
}
