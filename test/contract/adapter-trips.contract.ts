import { afterAll, beforeAll, expect, test } from "vitest";
import { newRefreshFamily, newTaggedSecret } from "../../src/oidc/adapter/identifiers.ts";
import type { ProtocolStore } from "../../src/oidc/adapter/index.ts";
import { addAccount, type Ground } from "./grounds.ts";
import {
  codePayload,
  createNode,
  issueRefreshToken,
  type Node,
  prolong,
  refresh,
  refreshTokenPayload,
  request,
  SESSION_SECONDS,
  type SignIn,
  signIn,
} from "./library.ts";

const ALICE = "kR3vVb7mSTy0Hq2Ck9yW5Q";

/** How many trips to the store a request takes: on a real network these are what it costs. */
export function adapterTripsContract(openGround: () => Promise<Ground>): void {
  let ground: Ground;
  let node: Node;
  let made: SignIn;
  let trips = 0;
  beforeAll(async () => {
    ground = await openGround();
    const connection = await ground.connect();
    node = createNode(ground, connection, { store: counting(connection.store, () => (trips += 1)) });
    await addAccount(connection.db, ALICE);
    made = await signIn(node, { accountId: ALICE, clientIds: ["shopWeb"] });
  });
  afterAll(() => ground.close());

  const tripsOf = async (run: () => Promise<unknown>): Promise<number> => {
    trips = 0;
    await run();
    return trips;
  };
  const grantId = (): string => made.grantIds["shopWeb"] ?? "";

  test("a refresh takes two", async () => {
    const token = await issueRefreshToken(node, made, "shopWeb");
    expect(await tripsOf(() => refresh(node, token))).toBe(2);
  });

  test("the retry of a refresh takes one, for the successor is computed", async () => {
    const token = await issueRefreshToken(node, made, "shopWeb");
    const successor = await refresh(node, token);
    expect(await tripsOf(async () => expect(await refresh(node, token)).toBe(successor))).toBe(1);
  });

  test("a use that does not rotate takes two, and the next ones of the same minute take one", async () => {
    const token = await issueRefreshToken(node, made, "shopWeb");
    const use = (): Promise<void> => prolong(node, token, 600);
    expect(await tripsOf(use)).toBe(2);
    expect(await tripsOf(use)).toBe(1);
  });

  test("the exchange of a code takes three", async () => {
    const code = newTaggedSecret(made.tag);
    await request(node, () => node.model("AuthorizationCode").upsert(code, codePayload(node, made, "shopWeb"), 60));
    const exchange = async (): Promise<void> => {
      const found = await node.model("AuthorizationCode").find(code);
      await node.model("Session").findByUid(found?.sessionUid ?? "");
      await node.model("Grant").find(found?.grantId ?? "");
      await node.model("AuthorizationCode").consume(code);
      const payload = refreshTokenPayload(node, made, "shopWeb");
      await node.model("RefreshToken").upsert(newRefreshFamily(made.tag), payload, SESSION_SECONDS);
    };
    expect(await tripsOf(() => request(node, exchange))).toBe(3);
  });

  test("a silent sign-in takes three", async () => {
    const authorize = async (): Promise<void> => {
      const session = await node.model("Session").find(made.sessionId);
      await node.model("Grant").find(grantId());
      await node.model("AuthorizationCode").upsert(newTaggedSecret(made.tag), codePayload(node, made, "shopWeb"), 60);
      await node.model("Session").upsert(made.sessionId, { ...session, kind: "Session" }, SESSION_SECONDS);
    };
    expect(await tripsOf(() => request(node, authorize))).toBe(3);
  });

  test("the write of a session takes its new grants along, so that a first sign-in takes two", async () => {
    expect(await tripsOf(() => signIn(node, { accountId: ALICE, clientIds: ["shopWeb", "billingApi"] }))).toBe(2);
  });

  test("a userinfo request with an opaque token takes one", async () => {
    const token = newTaggedSecret(made.tag);
    await request(node, () => node.model("AccessToken").upsert(token, { kind: "AccessToken", grantId: grantId() }, 60));
    const userinfo = async (): Promise<void> => {
      await node.model("AccessToken").find(token);
      await node.model("Session").findByUid(made.tag);
      await node.model("Grant").find(grantId());
    };
    expect(await tripsOf(() => request(node, userinfo))).toBe(1);
  });
}

function counting(store: ProtocolStore, note: () => void): ProtocolStore {
  return {
    read: (keys) => (note(), store.read(keys)),
    change: (key, change) => (note(), store.change(key, change)),
    delete: (key) => (note(), store.delete(key)),
  };
}
