import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { epochSeconds, randomOctets } from "../../src/core/index.ts";
import { parseRefreshToken } from "../../src/oidc/adapter/identifiers.ts";
import { addAccount, BRIEF_SECONDS, type Ground, type StoreConnection } from "./grounds.ts";
import {
  createNode,
  issueRefreshToken,
  type Node,
  prolong,
  refresh,
  REPLAY_SECONDS,
  request,
  rotate,
  SESSION_SECONDS,
  type SignIn,
  signIn,
} from "./library.ts";

const ALICE = "kR3vVb7mSTy0Hq2Ck9yW5Q";

/** One token, one successor: a retry gets the same one again, and any other use of a used token is a theft. */
export function adapterRefreshesContract(openGround: () => Promise<Ground>): void {
  let ground: Ground;
  let connection: StoreConnection;
  let node: Node;
  let other: Node;
  beforeAll(async () => {
    ground = await openGround();
    connection = await ground.connect();
    [node, other] = [createNode(ground, connection), createNode(ground, await ground.connect())];
    await addAccount(connection.db, ALICE);
  });
  beforeEach(() => ground.clear());
  afterAll(() => ground.close());

  const alice = (): Promise<SignIn> => signIn(node, { accountId: ALICE, clientIds: ["shopWeb"] });
  const find = (token: string) => request(other, () => other.model("RefreshToken").find(token));
  const judge = (token: string, binding = "[null]", by = other) =>
    request(by, async () => (await by.state.judgeRefresh(token, binding)).type);

  test("a retry on another node gets the same successor, as often as it comes, and nothing is written", async () => {
    const token = await issueRefreshToken(node, await alice(), "shopWeb");
    const successor = await refresh(node, token);
    const before = await ground.dump();
    for (let retry = 0; retry < 3; retry += 1) expect(await refresh(other, token)).toBe(successor);
    expect((await ground.dump()).equals(before)).toBe(true);
    expect(await refresh(node, successor)).not.toBe(successor);
  });

  test("the window closes when the successor is used, and then the whole family ends with its grant [ASVS 10.4.5]", async () => {
    const made = await alice();
    const token = await issueRefreshToken(node, made, "shopWeb");
    const third = await refresh(other, await refresh(node, token));
    await expect(refresh(other, token)).rejects.toThrow("reuse");
    for (const one of [token, third]) expect(await find(one)).toBeUndefined();
    expect(await request(other, () => other.model("Grant").find(made.grantIds["shopWeb"] ?? ""))).toBeUndefined();
  });

  test("the window closes when its time is over", async () => {
    const brief = createNode(ground, connection, { replaySeconds: BRIEF_SECONDS });
    const token = await issueRefreshToken(node, await alice(), "shopWeb");
    const successor = await refresh(brief, token);
    expect(await refresh(brief, token)).toBe(successor);
    await ground.passBrief();
    await expect(refresh(brief, token)).rejects.toThrow("reuse");
    expect(await find(successor)).toBeUndefined();
  });

  test("without a window a retry is reuse, and of parallel uses one wins and nothing is revoked", async () => {
    const strict = createNode(ground, connection, { replaySeconds: 0 });
    const token = await issueRefreshToken(node, await alice(), "shopWeb");
    const winner = rotate(strict, token, async () => void (await refresh(strict, token)));
    await expect(winner).rejects.toMatchObject({ name: "InvalidGrant" });
    await expect(refresh(strict, token)).rejects.toThrow("reuse");
  });

  test("for another resource or by another key it is refused, and the family lives", async () => {
    const token = await issueRefreshToken(node, await alice(), "shopWeb");
    const successor = await refresh(node, token, { binding: '["urn:a"]' });
    for (const binding of ["[null]", '["urn:b"]', '["urn:a",{"jkt":"x"}]', '["urn:a","urn:b"]'])
      await expect(refresh(other, token, { binding })).rejects.toThrow("other");
    expect(await refresh(other, token, { binding: '["urn:a"]' })).toBe(successor);
    expect(await find(successor)).not.toHaveProperty("consumed");
  });

  test("parallel refreshes for different resources have one winner, and the others are refused", async () => {
    const token = await issueRefreshToken(node, await alice(), "shopWeb");
    const lost = refresh(node, token, { binding: '["urn:a"]', loaded: async () => void (await refresh(other, token)) });
    await expect(lost).rejects.toMatchObject({ name: "InvalidGrant" });
    expect(await refresh(other, token)).toMatch(/./);
  });

  test("one that comes when the successor was used already is refused; it began before, so that nothing is revoked", async () => {
    const token = await issueRefreshToken(node, await alice(), "shopWeb");
    let living = "";
    const late = refresh(node, token, {
      loaded: async () => void (living = await refresh(other, await refresh(other, token))),
    });
    await expect(late).rejects.toMatchObject({ name: "InvalidGrant" });
    expect(await find(living)).not.toHaveProperty("consumed");
  });

  describe("a token that nobody was given", () => {
    test("but claims the generation before the living one is refused, and the family lives", async () => {
      const token = await issueRefreshToken(node, await alice(), "shopWeb");
      const successor = await refresh(node, token);
      const forged = withSecret(token, randomOctets(32));
      await expect(refresh(other, forged)).rejects.toThrow("other");
      expect(await find(successor)).not.toHaveProperty("consumed");
    });

    test("with the family's secret, of the living generation or one to come, ends the family: the store lost something", async () => {
      for (const generations of [0, 1, 7]) {
        const token = await issueRefreshToken(node, await alice(), "shopWeb");
        const living = await refresh(node, token);
        const forged = withSecret(living, randomOctets(32), generations);
        await expect(refresh(other, forged), String(generations)).rejects.toThrow("reuse");
        expect(await find(living)).toBeUndefined();
      }
    });

    test("without the family's secret is unknown, and the family lives", async () => {
      const token = await issueRefreshToken(node, await alice(), "shopWeb");
      const living = await refresh(node, token);
      const stranger = await issueRefreshToken(node, await alice(), "shopWeb");
      const forged = token.slice(0, 20) + stranger.slice(20);
      for (const one of [forged, "", "x", token.slice(1), `${token}A`, stranger.slice(0, 16) + token.slice(16)])
        expect({ one, type: await judge(one) }).toEqual({ one, type: "unknown" });
      expect(await judge(living)).toBe("living");
    });
  });

  test("a store that was put back to before a rotation is met with reuse by the token that it does not know", async () => {
    const made = await alice();
    const token = await issueRefreshToken(node, made, "shopWeb");
    const key = `lk:{${made.tag}}`;
    const [before] = await connection.store.read([key]);
    const successor = await refresh(node, token);
    await connection.store.delete(key);
    const expiresAt = epochSeconds(ground.clock) + 600;
    await connection.store.change(key, { expect: new Map(), set: before ?? new Map(), expiresAt });
    await expect(refresh(other, successor)).rejects.toThrow("reuse");
    expect(await find(token)).toBeUndefined();
  });

  describe("a token that does not rotate", () => {
    test("ends later with each use, under the same name", async () => {
      const token = await issueRefreshToken(node, await alice(), "shopWeb");
      const end = (await find(token))?.exp ?? 0;
      await prolong(node, token, 600);
      expect(await find(token)).toMatchObject({ exp: end + 600 });
      expect(await find(token)).not.toHaveProperty("rotations");
    });

    test("that was used closes the window of its predecessor", async () => {
      const token = await issueRefreshToken(node, await alice(), "shopWeb");
      const successor = await refresh(node, token);
      expect(await judge(token)).toBe("retry");
      await prolong(node, successor, 0);
      expect(await judge(token)).toBe("reuse");
      expect(await judge(successor)).toBe("living");
    });

    test("is used by twenty at once, each of which succeeds", async () => {
      const token = await issueRefreshToken(node, await alice(), "shopWeb");
      const uses = Array.from({ length: 20 }, (_, racer) => prolong(racer % 2 === 0 ? node : other, token, 600));
      await expect(Promise.all(uses)).resolves.toHaveLength(20);
    });

    test("is not brought back by a use that began before its grant or its session ended", async () => {
      const made = await alice();
      const token = await issueRefreshToken(node, made, "shopWeb");
      const late = request(node, async () => {
        const found = await node.model("RefreshToken").find(token);
        await request(other, () => other.model("Session").destroy(made.sessionId));
        const exp = epochSeconds(ground.clock) + 2 * SESSION_SECONDS;
        await node.model("RefreshToken").upsert(token, { ...found, kind: "RefreshToken", exp }, SESSION_SECONDS);
      });
      await expect(late).rejects.toMatchObject({ name: "InvalidGrant" });
      expect(await ground.listKeys()).toEqual([]);
    });
  });

  test("a copy of the store and a token of before the last one do not give the living one away", async () => {
    const token = await issueRefreshToken(node, await alice(), "shopWeb");
    const successor = await refresh(node, await refresh(node, token));
    const secret = parseRefreshToken(successor)?.secret ?? Buffer.alloc(0);
    const dump = await ground.dump();
    for (const part of [secret, Buffer.from(secret.toString("base64url")), Buffer.from(successor)])
      expect(dump.includes(part)).toBe(false);
  });

  test(`the window is ${REPLAY_SECONDS} seconds by the clock of whoever is asked`, async () => {
    const token = await issueRefreshToken(node, await alice(), "shopWeb");
    await refresh(node, token);
    const laterBy = (seconds: number): Node =>
      createNode({ ...ground, clock: { nowMs: () => ground.clock.nowMs() + seconds * 1_000 } }, connection);
    expect(await judge(token, "[null]", laterBy(REPLAY_SECONDS - 1))).toBe("retry");
    expect(await judge(token, "[null]", laterBy(REPLAY_SECONDS))).toBe("reuse");
  });
}

/** The token with another secret and a later generation, as somebody would make it who has one of the family. */
function withSecret(token: string, secret: Buffer, laterBy = 0): string {
  const octets = Buffer.from(token.slice(20), "base64url");
  octets.writeUInt32BE(octets.readUInt32BE(0) + laterBy);
  secret.copy(octets, 19);
  return token.slice(0, 20) + octets.toString("base64url");
}
