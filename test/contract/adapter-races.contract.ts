import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { epochSeconds, randomToken } from "../../src/core/index.ts";
import {
  newGrantId,
  newRefreshFamily,
  newTag,
  newTaggedSecret,
  parseRefreshToken,
  parseTag,
  signInKey,
} from "../../src/oidc/adapter/identifiers.ts";
import type { ProtocolStore } from "../../src/oidc/adapter/index.ts";
import { addAccount, BRIEF_SECONDS, type Ground } from "./grounds.ts";
import {
  codePayload,
  createBarrier,
  createNode,
  expectRefusals,
  fulfilledOf,
  grantPayload,
  issueRefreshToken,
  type Node,
  refresh,
  request,
  rotate,
  SESSION_SECONDS,
  type SignIn,
  signIn,
} from "./library.ts";

const ALICE = "kR3vVb7mSTy0Hq2Ck9yW5Q";
const PARALLEL = 20;

/** Parallel requests over two nodes: one-time things work once, merges lose nothing, and what has ended stays ended. */
/** What a look-up says of a thing that was just used. */
const AFTERWARDS: Readonly<Record<string, object>> = {
  AuthorizationCode: { status: "rejected", reason: { name: "InvalidGrant" } },
  PushedAuthorizationRequest: { status: "fulfilled", value: { consumed: expect.any(Number) } },
};

export function adapterRacesContract(openGround: () => Promise<Ground>): void {
  let ground: Ground;
  let nodes: readonly [Node, Node];
  let store: ProtocolStore;
  beforeAll(async () => {
    ground = await openGround();
    const [first, second] = [await ground.connect(), await ground.connect()];
    nodes = [createNode(ground, first), createNode(ground, second)];
    store = first.store;
    await addAccount(first.db, ALICE);
  });
  beforeEach(() => ground.clear());
  afterAll(() => ground.close());

  const alice = (clientIds: readonly string[] = ["shopWeb"], persistent: readonly string[] = []): Promise<SignIn> =>
    signIn(nodes[0], { accountId: ALICE, clientIds, persistent });
  const nodeOf = (racer: number): Node => nodes[racer % 2 === 0 ? 0 : 1];
  /** Everybody loads before anybody writes, which is the worst that can happen. */
  const race = async <Result>(
    count: number,
    run: (node: Node, loaded: () => Promise<void>, racer: number) => Promise<Result>,
  ): Promise<PromiseSettledResult<Result>[]> => {
    const loaded = createBarrier(count);
    return Promise.allSettled(Array.from({ length: count }, (_, racer) => run(nodeOf(racer), loaded, racer)));
  };

  test.each([
    // A code that is being redeemed is refused at once; see authorization-code-model.test.ts.
    ["AuthorizationCode", "InvalidGrant"],
    ["PushedAuthorizationRequest", "InvalidRequestUri"],
  ])(
    `of ${PARALLEL} parallel uses of one %s one wins, and the others are told %s [RFC 9700 4.5]`,
    async (name, refusal) => {
      const made = await alice();
      for (let round = 0; round < ground.raceRounds; round += 1) {
        const id = name === "AuthorizationCode" ? newTaggedSecret(made.tag) : randomToken(16);
        const payload =
          name === "AuthorizationCode" ? codePayload(nodes[0], made, "shopWeb") : { kind: name, request: "{}" };
        await request(nodes[0], () => nodes[0].model(name).upsert(id, payload, 60));
        const results = await race(PARALLEL, (node, loaded) =>
          request(node, async () => {
            const found = await node.model(name).find(id);
            await loaded();
            await node.model(name).consume(id);
            return found;
          }),
        );
        const won = fulfilledOf(results);
        expect(won).toHaveLength(1);
        expect(won[0]).not.toHaveProperty("consumed");
        expectRefusals(results, refusal);
        const second = await Promise.allSettled([request(nodes[1], () => nodes[1].model(name).find(id))]);
        expect(second).toMatchObject([AFTERWARDS[name]]);
      }
    },
  );

  test("a code that was never issued, or is gone, cannot be consumed", async () => {
    const made = await alice();
    const codes = nodes[0].model("AuthorizationCode");
    const id = newTaggedSecret(made.tag);
    await expect(codes.consume(id)).rejects.toMatchObject({ name: "InvalidGrant" });
    await codes.upsert(id, codePayload(nodes[0], made, "shopWeb"), 60);
    await request(nodes[0], async () => {
      await codes.find(id);
      await nodes[1].model("AuthorizationCode").destroy(id);
      await expect(codes.consume(id)).rejects.toMatchObject({ name: "InvalidGrant" });
    });
    expect(await codes.find(id)).toBeUndefined();
  });

  test(`${PARALLEL} parallel refreshes with one token get one successor, and each of them can go on`, async () => {
    const made = await alice();
    let presented = await issueRefreshToken(nodes[0], made, "shopWeb");
    for (let round = 1; round <= ground.raceRounds; round += 1) {
      const results = await race(PARALLEL, (node, loaded) => refresh(node, presented, { loaded }));
      expectRefusals(results, "none");
      const successors = new Set(fulfilledOf(results));
      expect(successors.size).toBe(1);
      presented = [...successors][0] ?? "";
      const found = await nodes[round % 2 === 0 ? 0 : 1].model("RefreshToken").find(presented);
      expect(found).toMatchObject({ rotations: round });
      expect(found).not.toHaveProperty("consumed");
    }
  });

  test(`of ${PARALLEL} parallel rotations of one refresh token one wins, and its successor is the only living one [ASVS 10.4.5]`, async () => {
    const made = await alice();
    for (let round = 0; round < ground.raceRounds; round += 1) {
      const presented = await issueRefreshToken(nodes[0], made, "shopWeb");
      const results = await race(PARALLEL, (node, loaded) => rotate(node, presented, loaded));
      const won = fulfilledOf(results);
      expect(won).toHaveLength(1);
      expectRefusals(results, "InvalidGrant");
      const refreshTokens = nodes[1].model("RefreshToken");
      expect(await refreshTokens.find(won[0] ?? "")).not.toHaveProperty("consumed");
      expect(await refreshTokens.find(presented)).toHaveProperty("consumed");
    }
  });

  test("families of one sign-in rotate in parallel without disturbing each other", async () => {
    const made = await alice(["shopWeb", "billingApi"]);
    let living = await Promise.all(
      Array.from({ length: 8 }, (_, at) => issueRefreshToken(nodeOf(at), made, at < 4 ? "shopWeb" : "billingApi")),
    );
    for (let round = 0; round < ground.raceRounds; round += 1) {
      const loaded = createBarrier(living.length);
      living = await Promise.all(living.map((token, at) => rotate(nodeOf(at + round), token, loaded)));
    }
    for (const token of living) {
      expect(await nodes[0].model("RefreshToken").find(token)).toMatchObject({ rotations: ground.raceRounds });
    }
  });

  test("eight clients authorized in parallel in one session are all there afterwards", async () => {
    const clientIds = Array.from({ length: 8 }, (_, at) => `app-${at}`);
    for (let round = 0; round < ground.raceRounds; round += 1) {
      const made = await alice(["shopWeb"]);
      const grantIds = Object.fromEntries(clientIds.map((clientId) => [clientId, newGrantId(made.tag)]));
      const results = await race(clientIds.length, (node, loaded, racer) =>
        authorize(node, { ...made, grantIds }, clientIds[racer] ?? "", loaded),
      );
      expect(fulfilledOf(results)).toHaveLength(clientIds.length);
      const session = await nodes[1].model("Session").find(made.sessionId);
      const found = Object.entries(session?.authorizations ?? {}).map(([clientId, { grantId }]) => [clientId, grantId]);
      expect(Object.fromEntries(found)).toEqual({ ...made.grantIds, ...grantIds });
      for (const grantId of Object.values(grantIds)) expect(await nodes[0].model("Grant").find(grantId)).toBeDefined();
    }
  });

  test("of two grants that parallel requests give one client, everybody sees the same one, and other clients as well", async () => {
    for (let round = 0; round < 10; round += 1) {
      const made = await alice(["shopWeb"]);
      const rivals = [newGrantId(made.tag), newGrantId(made.tag)];
      await race(2, (node, loaded, racer) =>
        authorize(node, { ...made, grantIds: { billingApi: rivals[racer] ?? "" } }, "billingApi", loaded),
      );
      expect((await nodes[1].model("Session").find(made.sessionId))?.authorizations).toMatchObject({
        shopWeb: { grantId: made.grantIds["shopWeb"] },
        billingApi: { grantId: rivals.toSorted().at(-1) },
      });
    }
  });

  test("a request that knows a client by an older grant does not take a newer one from it", async () => {
    const made = await alice(["shopWeb"]);
    const newer = newGrantId(made.tag);
    const waiting = Promise.withResolvers<void>();
    const grantIds = { billingApi: newGrantId(made.tag) };
    const last = authorize(nodes[0], { ...made, grantIds }, "billingApi", () => waiting.promise);
    await authorize(nodes[1], { ...made, grantIds: { shopWeb: newer } }, "shopWeb", async () => {});
    waiting.resolve();
    await last;
    const session = await nodes[1].model("Session").find(made.sessionId);
    expect(session?.authorizations).toMatchObject({
      shopWeb: { grantId: newer },
      billingApi: { grantId: grantIds.billingApi },
    });
  });

  describe("sign-out against four parallel requests", () => {
    test("leaves no session, grant or token, and the late ones are told [ASVS 7.4.1]", async () => {
      for (let round = 0; round < ground.raceRounds; round += 1) {
        const made = await alice(["shopWeb"]);
        const refreshToken = await issueRefreshToken(nodes[0], made, "shopWeb");
        const results = await race(5, (node, loaded, racer) => {
          if (racer === 2) return signOut(node, made, loaded);
          const grantIds = { [`app-${racer}`]: newGrantId(made.tag) };
          return racer === 4
            ? rotate(node, refreshToken, loaded)
            : authorize(node, { ...made, grantIds }, `app-${racer}`, loaded);
        });
        expect(results[2]?.status).toBe("fulfilled");
        expect(await ground.listKeys()).toEqual([]);
        expect(await nodes[0].model("Session").find(made.sessionId)).toBeUndefined();
        expect(await nodes[0].model("RefreshToken").find(refreshToken)).toBeUndefined();
      }
    });

    test("leaves of what a client may keep that alone, also when it refreshes meanwhile", async () => {
      for (let round = 0; round < ground.raceRounds; round += 1) {
        const made = await alice(["shopWeb", "reportsCli"], ["reportsCli"]);
        const kept = await issueRefreshToken(nodes[0], made, "reportsCli", { expiresWithSession: false });
        const grantIds = Object.fromEntries([0, 1, 3].map((racer) => [`app-${racer}`, newGrantId(made.tag)]));
        const results = await race(5, (node, loaded, racer) => {
          if (racer === 2) return signOut(node, made, loaded);
          return racer === 4
            ? rotate(node, kept, loaded)
            : authorize(node, { ...made, grantIds }, `app-${racer}`, loaded);
        });
        expect(results[2]?.status).toBe("fulfilled");
        expect(results[4]?.status).toBe("fulfilled");
        expect(await nodes[0].model("RefreshToken").find(fulfilledOf(results.slice(4))[0] ?? "")).toMatchObject({
          rotations: 1,
        });
        const [fields] = await store.read([signInKey(parseTag(made.tag) ?? newTag())]);
        // The owner, the one grant and its one family: nothing of the session and of the others.
        expect([...(fields?.keys() ?? [])].map((name) => name.charAt(0)).toSorted()).toEqual(["g", "o", "r"]);
      }
    });
  });

  test("a write that comes after the sign-out is refused and revives nothing", async () => {
    const made = await alice();
    const late = [
      (loaded: () => Promise<void>) =>
        authorize(nodes[0], { ...made, grantIds: { billingApi: newGrantId(made.tag) } }, "billingApi", loaded),
      (loaded: () => Promise<void>) =>
        request(nodes[0], async () => {
          await nodes[0].model("Grant").find(made.grantIds["shopWeb"] ?? "");
          await loaded();
          await nodes[0]
            .model("Grant")
            .upsert(made.grantIds["shopWeb"] ?? "", grantPayload(nodes[0], made, "shopWeb"), 60);
        }),
      (loaded: () => Promise<void>) =>
        request(nodes[0], async () => {
          const found = await nodes[0].model("Session").find(made.sessionId);
          await loaded();
          await nodes[0].model("Session").upsert(made.sessionId, { ...found, transient: true, kind: "Session" }, 60);
        }),
    ];
    const over = Promise.withResolvers<void>();
    const waiting = createBarrier(late.length + 1);
    const writes = late.map((write) => write(() => waiting().then(() => over.promise)));
    await waiting();
    await signOut(nodes[1], made);
    over.resolve();
    const results = await Promise.allSettled(writes);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await ground.listKeys()).toEqual([]);
  });

  test("a write that waits is not carried out for a sign-in that ended, whatever is asked for in between", async () => {
    const made = await alice();
    const late = request(nodes[0], async () => {
      await nodes[0].model("Session").find(made.sessionId);
      const grantId = newGrantId(made.tag);
      await nodes[0].model("Grant").upsert(grantId, grantPayload(nodes[0], made, "shopWeb"), 60);
      await signOut(nodes[1], made);
      await nodes[0].model("RefreshToken").destroy(newRefreshFamily(made.tag));
    });
    await expect(late).rejects.toMatchObject({ code: "INTERACTION_EXPIRED" });
    expect(await ground.listKeys()).toEqual([]);
  });

  test("a write that still sees a family as it was does not take along what was renewed meanwhile", async () => {
    const made = await alice();
    const exp = epochSeconds(ground.clock) + BRIEF_SECONDS;
    const token = await issueRefreshToken(nodes[0], made, "shopWeb", { exp });
    const next = await request(nodes[0], async () => {
      await nodes[0].model("Session").find(made.sessionId);
      const renewed = await rotate(nodes[1], token, async () => {}, { exp: exp + 600 });
      await ground.passBrief();
      const grantId = newGrantId(made.tag);
      await nodes[0].model("Grant").upsert(grantId, grantPayload(nodes[0], made, "shopWeb"), 60);
      return renewed;
    });
    expect(await nodes[1].model("RefreshToken").find(next)).toMatchObject({ rotations: 1 });
  });

  test("a write that knew nothing of it neither brings a client's ended access back nor undoes a waiting sign-out", async () => {
    const made = await alice(["shopWeb", "billingApi"]);
    await request(nodes[0], async () => {
      const stale = await nodes[0].model("Session").find(made.sessionId);
      await request(nodes[1], async () => {
        const session = await nodes[1].model("Session").find(made.sessionId);
        await nodes[1].model("Grant").destroy(made.grantIds["billingApi"] ?? "");
        await nodes[1].model("Session").upsert(made.sessionId, { ...session, state: { secret: "xsrf" } }, 600);
      });
      await nodes[0].model("Session").upsert(made.sessionId, { ...stale, kind: "Session" }, 600);
    });
    const session = await nodes[1].model("Session").find(made.sessionId);
    expect(Object.keys(session?.authorizations ?? {})).toEqual(["shopWeb"]);
    expect(session?.["state"]).toEqual({ secret: "xsrf" });
  });

  describe("a replay identifier", () => {
    test("is taken once by parallel requests, and by none after that [RFC 9449 11.1]", async () => {
      for (let round = 0; round < ground.raceRounds; round += 1) {
        const id = randomToken(32);
        const results = await race(PARALLEL, (node) => request(node, () => node.state.claimReplayId(id, 60)));
        expect(fulfilledOf(results).filter(Boolean)).toHaveLength(1);
        expect(await request(nodes[0], () => nodes[0].state.claimReplayId(id, 60))).toBe(false);
      }
    });

    test("may be asked for twice within one request", async () => {
      const id = randomToken(32);
      await request(nodes[0], async () => {
        expect(await nodes[0].state.claimReplayId(id, 60)).toBe(true);
        expect(await nodes[0].state.claimReplayId(id, 60)).toBe(true);
      });
      expect(await request(nodes[0], () => nodes[0].state.claimReplayId(id, 60))).toBe(false);
    });
  });

  test("generations count up one by one, however often a family is rotated", async () => {
    const made = await alice();
    let token = await issueRefreshToken(nodes[0], made, "shopWeb");
    for (let generation = 1; generation <= 5; generation += 1) {
      token = await rotate(nodeOf(generation), token);
      expect(parseRefreshToken(token)?.generation).toBe(generation);
    }
  });

  /** A silent sign-in: one more client in a session that is there. */
  async function authorize(node: Node, of: SignIn, clientId: string, loaded: () => Promise<void>): Promise<string> {
    return request(node, async () => {
      const session = await node.model("Session").find(of.sessionId);
      await loaded();
      const grantId = of.grantIds[clientId] ?? "";
      await node.model("Grant").upsert(grantId, grantPayload(node, of, clientId), SESSION_SECONDS);
      if (session?.authorizations !== undefined) session.authorizations[clientId] = { sid: of.tag, grantId };
      await node.model("Session").upsert(of.sessionId, { ...session, kind: "Session" }, SESSION_SECONDS);
      return grantId;
    });
  }

  /** As the library signs out: it revokes the grants that do not stay, then destroys the session. */
  async function signOut(node: Node, of: SignIn, loaded: () => Promise<void> = async () => {}): Promise<string> {
    return request(node, async () => {
      const session = await node.model("Session").find(of.sessionId);
      await loaded();
      const ending = Object.values(session?.authorizations ?? {}).filter(
        ({ persistsLogout }) => persistsLogout !== true,
      );
      await Promise.all(ending.map(({ grantId }) => node.model("Grant").destroy(grantId ?? "")));
      await node.model("Session").destroy(of.sessionId);
      return of.tag;
    });
  }
}
