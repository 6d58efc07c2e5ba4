import { sql } from "kysely";
import type { AdapterPayload } from "oidc-provider";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { epochSeconds, randomOctets, randomToken } from "../../src/core/index.ts";
import { createDictionary, type GrantLimits } from "../../src/oidc/adapter/index.ts";
import { newGrantId, newTaggedSecret } from "../../src/oidc/adapter/identifiers.ts";
import type { Db } from "../../src/storage/index.ts";
import { addAccount, BRIEF_SECONDS, type Ground, type StoreConnection } from "./grounds.ts";
import {
  codePayload,
  createNode,
  grantPayload,
  issueRefreshToken,
  type Node,
  request,
  rotate,
  SESSION_SECONDS,
  type SignIn,
  signIn,
  type SignInOptions,
  successorOf,
} from "./library.ts";

const ALICE = "kR3vVb7mSTy0Hq2Ck9yW5Q";
const BOB = "bob";
const DICTIONARY_ENTRIES_MAX = 50_000;

/** Everything ends: by revocation, by sign-out, by an operator, by time; and what ends leaves nothing behind. */
export function adapterEndingsContract(openGround: () => Promise<Ground>): void {
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
  beforeEach(() => ground.clear());
  afterAll(() => ground.close());

  const alice = (clientIds: readonly string[] = ["shopWeb"], more: Partial<SignInOptions> = {}): Promise<SignIn> =>
    signIn(node, { accountId: ALICE, clientIds, ...more });
  const findRefreshToken = (id: string) => request(other, () => other.model("RefreshToken").find(id));
  const findGrant = (id: string | undefined) => request(other, () => other.model("Grant").find(id ?? ""));
  const findSession = (of: SignIn) => request(other, () => other.model("Session").find(of.sessionId));

  describe("what a client may have been granted", () => {
    const limitedTo = (limits: GrantLimits | undefined) =>
      createNode(ground, connection, { findGrantLimits: async () => limits });
    const grantOf = (made: SignIn, limits: GrantLimits | undefined) =>
      request(limitedTo(limits), () =>
        limitedTo(limits)
          .model("Grant")
          .find(made.grantIds["shopWeb"] ?? ""),
      );

    test("follows the client's settings as they are now", async () => {
      const made = await alice();
      expect(await grantOf(made, { since: 0, identityScopes: ["openid"] })).toMatchObject({
        openid: { scope: "openid" },
        resources: { "https://billing.example.com": "invoices:read invoices:write" },
      });
    });

    test("is nothing when the client came after the grant, or is gone", async () => {
      const made = await alice();
      const now = epochSeconds(ground.clock);
      expect(await grantOf(made, { since: now, identityScopes: ["openid"] })).toBeDefined();
      expect(await grantOf(made, { since: now + 1, identityScopes: ["openid"] })).toBeUndefined();
      expect(await grantOf(made, undefined)).toBeUndefined();
    });
  });

  test("of more refresh-token families than ten, the ones that were used last stay", async () => {
    const made = await alice();
    const tokens: string[] = [];
    for (let count = 0; count < 12; count += 1) tokens.push(await issueRefreshToken(node, made, "shopWeb"));
    const found = await Promise.all(tokens.map(findRefreshToken));
    expect(found.filter((token) => token !== undefined)).toHaveLength(10);
    expect(found.at(-1)).toBeDefined();
  });

  describe("the tokens of a refresh family", () => {
    test("that were used read as consumed, the newest and every older one [ASVS 10.4.5]", async () => {
      const made = await alice();
      const oldest = await issueRefreshToken(node, made, "shopWeb");
      const middle = await rotate(node, oldest);
      const living = await rotate(other, middle);
      expect(await findRefreshToken(oldest)).toHaveProperty("consumed");
      expect(await findRefreshToken(middle)).toHaveProperty("consumed");
      expect(await findRefreshToken(living)).not.toHaveProperty("consumed");
    });

    test("are told from forged ones, which are not found", async () => {
      const made = await alice();
      const first = await issueRefreshToken(node, made, "shopWeb");
      const living = await rotate(node, first);
      const familySecret = randomOctets(15);
      const forged = {
        "wrong family secret": forge(living, { familySecret }),
        "wrong family secret, older": forge(first, { familySecret }),
        "another family": living.slice(0, 16) + randomToken(3) + living.slice(20),
        "another sign-in": randomToken(12) + living.slice(16),
        "cut off": living.slice(0, -1),
        prolonged: `${living}A`,
      };
      for (const [name, token] of Object.entries(forged))
        expect({ name, found: await findRefreshToken(token) }).toStrictEqual({ name, found: undefined });
      expect(await findRefreshToken(living)).not.toHaveProperty("consumed");
    });

    test("whose holder knows the family's secret are used ones, or of a store that lost the living one: two are about", async () => {
      const made = await alice();
      const first = await issueRefreshToken(node, made, "shopWeb");
      const living = await rotate(node, first);
      const secret = randomOctets(32);
      const others = {
        "a generation that is over": forge(first, { secret }),
        "the living generation": forge(living, { secret }),
        "a generation to come": forge(living, { generation: 2, secret }),
        "the last generation": forge(living, { generation: 0xff_ff_ff_ff }),
      };
      for (const [name, token] of Object.entries(others))
        expect({ name, found: await findRefreshToken(token) }).toMatchObject({
          name,
          found: { consumed: expect.any(Number) },
        });
      expect(await findRefreshToken(living)).not.toHaveProperty("consumed");
    });

    test("all end with one of them, and only those", async () => {
      const made = await alice();
      const first = await issueRefreshToken(node, made, "shopWeb", { jkt: "bound" });
      const second = await issueRefreshToken(node, made, "shopWeb");
      const living = await rotate(node, first);
      await request(node, () => node.model("RefreshToken").destroy(first));
      expect(await findRefreshToken(first)).toBeUndefined();
      expect(await findRefreshToken(living)).toBeUndefined();
      expect(await findRefreshToken(second)).toBeDefined();
      await expect(upsertSuccessor(node, living, made)).rejects.toMatchObject({ name: "InvalidGrant" });
    });
  });

  describe("rotation is refused", () => {
    test("when the session is gone, to a token that lives with it", async () => {
      const made = await alice(["shopWeb"], { persistent: ["shopWeb"] });
      const bound = await issueRefreshToken(node, made, "shopWeb");
      const free = await issueRefreshToken(node, made, "shopWeb", { expiresWithSession: false });
      await request(other, () => other.model("Session").destroy(made.sessionId));
      await expect(upsertSuccessor(node, bound, made)).rejects.toMatchObject({ name: "InvalidGrant" });
      await expect(rotate(node, free)).resolves.toBeDefined();
    });

    test("when the grant is gone", async () => {
      const made = await alice(["shopWeb", "billingApi"]);
      const token = await issueRefreshToken(node, made, "shopWeb");
      await request(other, () => other.model("Grant").destroy(made.grantIds["shopWeb"] ?? ""));
      await expect(upsertSuccessor(node, token, made)).rejects.toMatchObject({ name: "InvalidGrant" });
      expect(await findRefreshToken(token)).toBeUndefined();
    });

    test("when either goes between the look and the write", async () => {
      const made = await alice(["shopWeb", "billingApi"]);
      const [shop, billing] = [
        await issueRefreshToken(node, made, "shopWeb"),
        await issueRefreshToken(node, made, "billingApi"),
      ];
      const revoked = rotate(node, shop, () =>
        request(other, () => other.model("Grant").destroy(made.grantIds["shopWeb"] ?? "")),
      );
      await expect(revoked).rejects.toMatchObject({ name: "InvalidGrant" });
      const signedOut = rotate(node, billing, () =>
        request(other, () => other.model("Session").destroy(made.sessionId)),
      );
      await expect(signedOut).rejects.toMatchObject({ name: "InvalidGrant" });
      expect(await ground.listKeys()).toEqual([]);
    });

    test("and so is a first refresh token once the session of its code is gone", async () => {
      const made = await alice(["shopWeb"], { persistent: ["shopWeb"] });
      await request(other, () => other.model("Session").destroy(made.sessionId));
      await expect(issueRefreshToken(node, made, "shopWeb", { expiresWithSession: false })).rejects.toMatchObject({
        name: "InvalidGrant",
      });
    });
  });

  test("a refresh prolongs the session that it lives with", async () => {
    const made = await alice(["shopWeb"], { lifetimeSeconds: 60 });
    const token = await issueRefreshToken(node, made, "shopWeb");
    await rotate(node, token);
    const end = (await findSession(made))?.exp ?? 0;
    expect(end).toBeGreaterThan(epochSeconds(ground.clock) + 60);
  });

  test("a destroyed grant takes its refresh families and its mention along, and nothing of another client [RFC 9700 4.14.2]", async () => {
    const made = await alice(["shopWeb", "billingApi"]);
    const shopTokens = [
      await issueRefreshToken(node, made, "shopWeb", { jkt: "bound" }),
      await issueRefreshToken(node, made, "shopWeb"),
    ];
    const billingToken = await issueRefreshToken(node, made, "billingApi");
    await request(node, () => node.model("Grant").destroy(made.grantIds["shopWeb"] ?? ""));
    expect(await findGrant(made.grantIds["shopWeb"])).toBeUndefined();
    for (const token of shopTokens) expect(await findRefreshToken(token)).toBeUndefined();
    expect(Object.keys((await findSession(made))?.authorizations ?? {})).toEqual(["billingApi"]);
    expect(await findGrant(made.grantIds["billingApi"])).toBeDefined();
    expect(await findRefreshToken(billingToken)).toBeDefined();
    const [fields] = await connection.store.read([`lk:{${made.tag}}`]);
    expect([...(fields?.keys() ?? [])].filter((name) => /^[er]./.test(name))).toHaveLength(1);
  });

  test("sign-out keeps the grants that the person gave for longer, with their families, and nothing else, also when one refreshes meanwhile", async () => {
    const made = await alice(["shopWeb", "reportsCli", "billingApi"], { persistent: ["reportsCli"] });
    const kept = await issueRefreshToken(node, made, "reportsCli", { expiresWithSession: false, jkt: "bound" });
    const lost = await issueRefreshToken(node, made, "shopWeb", { jkt: "bound" });
    const signOut = (): Promise<void> =>
      request(other, () => other.model("Session").destroy(made.sessionId)).then(() => undefined);
    const next = await rotate(node, kept, signOut);
    expect(await findSession(made)).toBeUndefined();
    expect(await findRefreshToken(lost)).toBeUndefined();
    for (const clientId of ["shopWeb", "billingApi"]) expect(await findGrant(made.grantIds[clientId])).toBeUndefined();
    expect(await findGrant(made.grantIds["reportsCli"])).toMatchObject({ clientId: "reportsCli", accountId: ALICE });
    expect(await findRefreshToken(next)).toMatchObject({ accountId: ALICE, jkt: "bound" });
    const [fields] = await connection.store.read([`lk:{${made.tag}}`]);
    expect([...(fields?.keys() ?? [])].map((name) => name.charAt(0)).toSorted()).toEqual(["e", "g", "o", "r"]);
  });

  describe("ending the sign-ins of an account", () => {
    test("ends each of them with its tokens, also what outlived a sign-out, and none of another account [ASVS 7.4.2]", async () => {
      const desk = await alice(["shopWeb", "billingApi"]);
      const phone = await alice(["reportsCli"], { persistent: ["reportsCli"] });
      const bob = await signIn(node, { accountId: BOB, clientIds: ["shopWeb"] });
      const tokens = [
        await issueRefreshToken(node, desk, "shopWeb"),
        await issueRefreshToken(node, phone, "reportsCli", { expiresWithSession: false }),
      ];
      const code = newTaggedSecret(desk.tag);
      await request(node, () => node.model("AuthorizationCode").upsert(code, codePayload(node, desk, "shopWeb"), 60));
      await request(node, () => node.model("Session").destroy(phone.sessionId));
      await other.sessions.endAll(ALICE, "account_disabled");
      for (const token of tokens) expect(await findRefreshToken(token)).toBeUndefined();
      for (const made of [desk, phone]) {
        expect(await findSession(made)).toBeUndefined();
        for (const grantId of Object.values(made.grantIds)) expect(await findGrant(grantId)).toBeUndefined();
      }
      const redeemed = issueRefreshToken(node, desk, "shopWeb");
      await expect(redeemed).rejects.toMatchObject({ name: "InvalidGrant" });
      expect(await findSession(bob)).toBeDefined();
    });

    test("does nothing to an account that has none", async () => {
      expect(await node.sessions.endAll("nobody", "ended_by_operator")).toEqual({ endedIds: [], isComplete: true });
      expect(await ground.listKeys()).toEqual([]);
    });
  });

  test("a session is never given to another account", async () => {
    const made = await alice();
    const stolen = request(node, async () => {
      const session = await node.model("Session").find(made.sessionId);
      await node.model("Session").upsert(made.sessionId, { ...session, kind: "Session", accountId: BOB }, 600);
    });
    await expect(stolen).rejects.toMatchObject({ name: "SessionNotFound" });
    expect(await findSession(made)).toMatchObject({ accountId: ALICE });
  });

  describe("the dictionary", () => {
    test("that has lost a text makes what it named unknown, not wrong", async () => {
      const made = await alice();
      const token = await issueRefreshToken(node, made, "shopWeb");
      await withDictionary(connection.db, [], async () => {
        const fresh = createNode(ground, connection);
        expect(await fresh.model("Session").find(made.sessionId)).toBeUndefined();
        expect(await fresh.model("Grant").find(made.grantIds["shopWeb"] ?? "")).toBeUndefined();
        expect(await fresh.model("RefreshToken").find(token)).toBeUndefined();
      });
    });

    test("that is full leaves everything working, written out in full", async () => {
      const full = Array.from({ length: DICTIONARY_ENTRIES_MAX }, (_, at) => String(at));
      await withDictionary(connection.db, full, async () => {
        const fresh = createNode(ground, connection);
        const made = await signIn(fresh, { accountId: ALICE, clientIds: ["shopWeb"] });
        const next = await rotate(fresh, await issueRefreshToken(fresh, made, "shopWeb"));
        expect(await findSession(made)).toMatchObject({ amr: ["pwd"] });
        expect(await findGrant(made.grantIds["shopWeb"])).toMatchObject({ clientId: "shopWeb", accountId: ALICE });
        expect(await findRefreshToken(next)).toMatchObject({ resource: "https://billing.example.com" });
        expect(await readDictionary(connection.db)).toHaveLength(DICTIONARY_ENTRIES_MAX);
      });
    });

    test("names a text once, for every node", async () => {
      const [here, there] = [createDictionary(connection), createDictionary({ db: (await ground.connect()).db })];
      const text = randomToken();
      const names = await Promise.all([here, there, here, there].map((dictionary) => dictionary.intern(text)));
      expect(new Set(names.map((name) => name?.toString("hex"))).size).toBe(1);
      expect(await createDictionary(connection).resolve(names[0] ?? Buffer.alloc(6))).toBe(text);
      expect(await here.resolve(randomOctets(6))).toBeUndefined();
    });
  });

  describe("time", () => {
    test("ends everything, and nothing is left in the store", async () => {
      const brief = createNode(ground, connection, { sessionSeconds: BRIEF_SECONDS });
      const made = await alice(["shopWeb", "reportsCli"], {
        lifetimeSeconds: BRIEF_SECONDS,
        persistent: ["reportsCli"],
      });
      const exp = epochSeconds(ground.clock) + BRIEF_SECONDS;
      const token = await issueRefreshToken(brief, made, "shopWeb", { exp, jkt: "bound" });
      const shortLived = {
        AuthorizationCode: newTaggedSecret(made.tag),
        AccessToken: newTaggedSecret(made.tag),
        Interaction: randomToken(16),
      };
      for (const [name, id] of Object.entries(shortLived)) {
        await request(node, () => node.model(name).upsert(id, { kind: name, jti: id, exp }, BRIEF_SECONDS));
      }
      await node.state.claimReplayId(randomToken(), BRIEF_SECONDS);
      expect((await ground.listKeys()).length).toBeGreaterThan(0);
      await ground.passBrief();
      expect(await findSession(made)).toBeUndefined();
      expect(isLiving(await findGrant(made.grantIds["shopWeb"]))).toBe(false);
      expect(isLiving(await findRefreshToken(token))).toBe(false);
      for (const [name, id] of Object.entries(shortLived)) {
        const found = await request(node, () => node.model(name).find(id));
        expect({ name, found }).toStrictEqual({ name, found: undefined });
      }
      await ground.sweep();
      expect(await ground.listKeys()).toEqual([]);
    });

    test("ends a session while a grant of it goes on", async () => {
      const made = await alice(["shopWeb"], { lifetimeSeconds: BRIEF_SECONDS });
      const grantId = made.grantIds["shopWeb"] ?? "";
      await request(node, () =>
        node.model("Grant").upsert(grantId, grantPayload(node, made, "shopWeb"), SESSION_SECONDS),
      );
      await ground.passBrief();
      expect(await findSession(made)).toBeUndefined();
      expect(isLiving(await findGrant(grantId))).toBe(true);
    });

    test("takes along a grant and a family that end before their sign-in, at the next write", async () => {
      const made = await alice(["shopWeb"]);
      const brief = newGrantId(made.tag);
      const of = { ...made, grantIds: { billingApi: brief } };
      await request(node, () =>
        node.model("Grant").upsert(brief, grantPayload(node, of, "billingApi", BRIEF_SECONDS), BRIEF_SECONDS),
      );
      const exp = epochSeconds(ground.clock) + BRIEF_SECONDS;
      await issueRefreshToken(node, made, "shopWeb", { exp, jkt: "bound" });
      await ground.passBrief();
      await issueRefreshToken(node, made, "shopWeb");
      const [fields] = await connection.store.read([`lk:{${made.tag}}`]);
      expect(
        [...(fields?.keys() ?? [])]
          .filter((name) => /^[ger]./.test(name))
          .map((name) => name.charAt(0))
          .toSorted(),
      ).toEqual(["g", "r"]);
    });

    test("removes a sign-in from the index when nothing can hang on it any more", async () => {
      const made = await alice([]);
      await node.sessions.sweep();
      expect(await node.sessions.isOpen(made.tag)).toBe(true);
      await sql`update sessions set expires_at = ${new Date(ground.clock.nowMs())} where id = ${made.tag}`.execute(
        connection.db,
      );
      await node.sessions.sweep();
      expect(await node.sessions.isOpen(made.tag)).toBe(false);
    });
  });

  test("every key has an end", async () => {
    const made = await alice(["shopWeb", "reportsCli"], { persistent: ["reportsCli"] });
    await rotate(node, await issueRefreshToken(node, made, "shopWeb"));
    const code = newTaggedSecret(made.tag);
    await request(node, () => node.model("AuthorizationCode").upsert(code, codePayload(node, made, "shopWeb"), 60));
    await request(node, () => node.model("AuthorizationCode").consume(code));
    await request(node, () => node.model("Interaction").upsert(randomToken(16), { kind: "Interaction" }, 60));
    await node.state.claimReplayId(randomToken(), 0);
    await request(node, () => node.model("Session").destroy(made.sessionId));
    expect(await ground.listKeys()).toHaveLength(4);
    expect(await ground.listUnending()).toEqual([]);
  });

  function isLiving(payload: AdapterPayload | undefined | void): boolean {
    return payload?.exp !== undefined && payload.exp > epochSeconds(ground.clock);
  }
}

function readDictionary(db: Db): Promise<readonly { value: string }[]> {
  return db
    .withTables<{ oidc_dictionary: { value: string } }>()
    .selectFrom("oidc_dictionary")
    .select("value")
    .execute();
}

/** Puts other texts into the dictionary for a while. Nodes that run remember the old ones, which so must come back. */
async function withDictionary(db: Db, texts: readonly string[], run: () => Promise<void>): Promise<void> {
  const before = (await readDictionary(db)).map(({ value }) => value);
  await replaceDictionary(db, texts);
  try {
    await run();
  } finally {
    await replaceDictionary(db, before);
  }
}

async function replaceDictionary(db: Db, texts: readonly string[]): Promise<void> {
  await sql`delete from oidc_dictionary`.execute(db);
  await sql`
    insert into oidc_dictionary (digest, value)
    select substr(sha256(convert_to(value, 'UTF8')), 1, 6), value
    from jsonb_array_elements_text(${JSON.stringify(texts)}::jsonb) as value`.execute(db);
}

/** What a rotation writes, by somebody who did not look first. */
function upsertSuccessor(node: Node, token: string, made: SignIn): Promise<unknown> {
  const payload = { ...codePayload(node, made, "shopWeb"), kind: "RefreshToken", exp: epochSeconds(node.clock) + 60 };
  return request(node, () => node.model("RefreshToken").upsert(successorOf(token), payload, 60));
}

/** The token with parts replaced, put together by hand: generation (4 bytes), family secret (15), secret (32). */
function forge(token: string, parts: { generation?: number; familySecret?: Buffer; secret?: Buffer }): string {
  const octets = Buffer.from(token.slice(20), "base64url");
  if (parts.generation !== undefined) octets.writeUInt32BE(parts.generation);
  parts.familySecret?.copy(octets, 4);
  parts.secret?.copy(octets, 19);
  return token.slice(0, 20) + octets.toString("base64url");
}
