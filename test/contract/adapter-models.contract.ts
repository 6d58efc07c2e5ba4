import type { AdapterPayload } from "oidc-provider";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { randomToken } from "../../src/core/index.ts";
import { newGrantId, newTag, newTaggedSecret } from "../../src/oidc/adapter/identifiers.ts";
import { addAccount, type Ground, secondsFromNow } from "./grounds.ts";
import {
  codePayload,
  createNode,
  grantPayload,
  issueRefreshToken,
  type Node,
  refreshTokenPayload,
  request,
  sessionPayload,
  type SignIn,
  signIn,
} from "./library.ts";

const OURS = "kR3vVb7mSTy0Hq2Ck9yW5Q";
const FOREIGN_ACCOUNTS = ["alice", "bob@example.com", "Zoë-Ünïcode-北京", "a", "0123", "f".repeat(200)];
const LONG_CLIENT_ID = `https://clients.example.com/${"reports-cli/".repeat(12)}`;

/** Whatever the library stores is found again as it was, and as nothing else. */
export function adapterModelsContract(openGround: () => Promise<Ground>): void {
  let ground: Ground;
  let node: Node;
  let other: Node;
  beforeAll(async () => {
    ground = await openGround();
    const [here, there] = [await ground.connect(), await ground.connect()];
    [node, other] = [createNode(ground, here), createNode(ground, there)];
    for (const id of [OURS, ...FOREIGN_ACCOUNTS]) await addAccount(here.db, id);
  });
  beforeEach(() => ground.clear());
  afterAll(() => ground.close());

  const alice = (clientIds: readonly string[] = ["shopWeb"], accountId = OURS): Promise<SignIn> =>
    signIn(node, { accountId, clientIds });
  /** By another node, which has nothing in memory. */
  const findAnew = (name: string, id: string): Promise<AdapterPayload | undefined | void> =>
    request(other, () => other.model(name).find(id));

  describe("a session", () => {
    test.each([OURS, ...FOREIGN_ACCOUNTS])("of account %s is found again by id and by uid", async (accountId) => {
      const made = await alice(["shopWeb", LONG_CLIENT_ID, "Läden 店"], accountId);
      const authorizations = Object.fromEntries(
        Object.entries(made.grantIds).map(([clientId, grantId]) => [clientId, { sid: made.tag, grantId }]),
      );
      const expected = { ...sessionPayload(node, made), authorizations };
      expect(await findAnew("Session", made.sessionId)).toEqual(expected);
      const { jti: _jti, ...byUid } = expected;
      expect(await request(other, () => other.model("Session").findByUid(made.tag))).toEqual(byUid);
    });

    test("keeps that it is transient, a waiting sign-out, and which clients outlive it", async () => {
      const tag = newTag();
      const of: SignIn = { tag, sessionId: newTaggedSecret(tag), accountId: OURS, grantIds: {} };
      const grantId = newGrantId(tag);
      const lasting = { ...of, grantIds: { shopWeb: grantId } };
      const payload = {
        ...sessionPayload(node, of),
        transient: true,
        state: { secret: "s3cret-Ünï", clientId: "shopWeb", postLogoutRedirectUri: "https://shop.example.com/bye" },
        authorizations: {
          shopWeb: { sid: tag, grantId, persistsLogout: true as const },
          billingApi: { sid: tag },
        },
      };
      await request(node, async () => {
        await node.model("Grant").upsert(grantId, grantPayload(node, lasting, "shopWeb"), 600);
        await node.model("Session").upsert(of.sessionId, payload, 600);
      });
      expect(await findAnew("Session", of.sessionId)).toEqual(payload);
    });

    test("knows a client by the grant that it gave it last", async () => {
      const made = await alice(["shopWeb", "billingApi"]);
      const second = newGrantId(made.tag);
      const of = { ...made, grantIds: { shopWeb: second } };
      const authorize = async (sessionNode: Node): Promise<void> => {
        const session = await sessionNode.model("Session").find(made.sessionId);
        await sessionNode.model("Grant").upsert(second, grantPayload(sessionNode, of, "shopWeb"), 600);
        if (session?.authorizations !== undefined)
          session.authorizations["shopWeb"] = { sid: made.tag, grantId: second };
        await sessionNode.model("Session").upsert(made.sessionId, { ...session, kind: "Session" }, 600);
      };
      await request(node, () => authorize(node));
      expect(await findAnew("Session", made.sessionId)).toMatchObject({
        authorizations: { shopWeb: { grantId: second }, billingApi: { grantId: made.grantIds["billingApi"] } },
      });
    });

    test("without acr and amr has none when it is found", async () => {
      const tag = newTag();
      const of: SignIn = { tag, sessionId: newTaggedSecret(tag), accountId: OURS, grantIds: {} };
      const { acr: _acr, amr: _amr, ...payload } = sessionPayload(node, of);
      await request(node, () => node.model("Session").upsert(of.sessionId, payload, 600));
      expect(await findAnew("Session", of.sessionId)).toEqual(payload);
    });

    test("of nobody is not stored", async () => {
      const tag = newTag();
      const id = newTaggedSecret(tag);
      const nobody = {
        kind: "Session",
        jti: id,
        uid: tag,
        iat: secondsFromNow(ground.clock, 0),
        exp: secondsFromNow(ground.clock, 600),
      };
      await request(node, () => node.model("Session").upsert(id, nobody, 600));
      expect(await ground.listKeys()).toEqual([]);
      const waiting = { ...nobody, state: { secret: "x" }, authorizations: {} };
      await request(node, () => node.model("Session").upsert(id, waiting, 600));
      expect(await ground.listKeys()).toEqual([]);
    });

    test("is not found by a wrong secret, by its uid alone, or by something that is no id", async () => {
      const made = await alice();
      for (const id of [
        newTaggedSecret(made.tag),
        made.tag,
        "",
        "x",
        `${made.sessionId}A`,
        made.sessionId.slice(0, -1),
        "{}:*\n",
      ]) {
        expect({ id, found: await findAnew("Session", id) }).toStrictEqual({ id, found: undefined });
      }
      for (const uid of ["", "x", made.sessionId, newTag()]) {
        const found = await request(other, () => other.model("Session").findByUid(uid));
        expect({ uid, found }).toStrictEqual({ uid, found: undefined });
      }
    });

    test("with a new id is unknown under its old one, and its uid, grants and tokens stay [ASVS 7.2.4]", async () => {
      const made = await alice();
      const refreshToken = await issueRefreshToken(node, made, "shopWeb");
      const newId = newTaggedSecret(made.tag);
      await request(node, async () => {
        const found = await node.model("Session").find(made.sessionId);
        await node.model("Session").upsert(newId, { ...found, jti: newId }, 600);
      });
      expect(await findAnew("Session", made.sessionId)).toBeUndefined();
      expect(await findAnew("Session", newId)).toMatchObject({ uid: made.tag, accountId: OURS });
      expect(await findAnew("Grant", made.grantIds["shopWeb"] ?? "")).toBeDefined();
      expect(await findAnew("RefreshToken", refreshToken)).toBeDefined();
    });
  });

  describe("a grant", () => {
    test.each<[string, Partial<AdapterPayload>]>([
      ["identity scopes and resources", {}],
      ["nothing but a client", { openid: undefined, resources: undefined }],
      [
        "claims, rejected scopes and authorization details",
        {
          openid: { scope: "email openid", claims: ["email", "näme"] },
          rejected: { openid: { scope: "phone" }, resources: { "https://billing.example.com": "invoices:write" } },
          resources: { "https://billing.example.com": "invoices:read", "urn:example:北京": "b a" },
          rar: [{ type: "payment", amount: 12.5, nested: { z: 1, a: [null, true] } }],
        },
      ],
    ])("with %s is found again", async (_, changed) => {
      const made = await alice([LONG_CLIENT_ID]);
      const id = made.grantIds[LONG_CLIENT_ID] ?? "";
      const payload = { ...grantPayload(node, made, LONG_CLIENT_ID), ...changed };
      await request(node, () => node.model("Grant").upsert(id, payload, 600));
      expect(inOneOrder(await findAnew("Grant", id))).toEqual(inOneOrder(payload));
    });

    test("is found in the request that saved it, before it is written", async () => {
      const made = await alice();
      await request(node, async () => {
        const payload = { ...grantPayload(node, made, "shopWeb"), openid: { scope: "openid" } };
        const id = made.grantIds["shopWeb"] ?? "";
        await node.model("Grant").upsert(id, payload, 600);
        expect(await node.model("Grant").find(id)).toEqual(payload);
      });
    });
  });

  describe("a refresh token", () => {
    test.each<[string, Partial<AdapterPayload>]>([
      ["one resource", {}],
      ["several resources and scopes of its own", { resource: ["urn:b", "urn:a"], scope: "zeta openid alpha" }],
      ["no resource, acr, amr and sid", { resource: undefined, acr: undefined, amr: undefined, sid: undefined }],
      ["a key that it is bound to", { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }],
      ["a certificate that it is bound to", { "x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0" }],
      [
        "requested claims",
        { claims: { userinfo: { "https://example.com/claim": { essential: true, value: "Zoë" } } } },
      ],
      ["authorization details", { rar: [{ type: "payment" }] }],
      ["a life of its own", { expiresWithSession: false, gty: "authorization_code refresh_token" }],
    ])("with %s is found again", async (_, changed) => {
      const made = await alice();
      const id = await issueRefreshToken(node, made, "shopWeb", changed);
      const expected = { ...refreshTokenPayload(node, made, "shopWeb"), jti: id, ...changed };
      expect(inOneOrder(await findAnew("RefreshToken", id))).toEqual(inOneOrder(expected));
    });

    test("keeps no nonce, which a refreshed ID token should not carry [OIDC Core 12.2]", async () => {
      const made = await alice();
      const id = await issueRefreshToken(node, made, "shopWeb", { nonce: "n-0S6_WzA2Mj" });
      expect(await findAnew("RefreshToken", id)).not.toHaveProperty("nonce");
    });
  });

  describe("a short-lived thing", () => {
    const cases = async (): Promise<[string, string, AdapterPayload][]> => {
      const made = await alice();
      const { tag } = made;
      const life = { iat: secondsFromNow(ground.clock, 0), exp: secondsFromNow(ground.clock, 600) };
      const uid = randomToken(16);
      const access = {
        ...life,
        accountId: OURS,
        clientId: "shopWeb",
        grantId: made.grantIds["shopWeb"] ?? "",
        scope: "openid zeta alpha",
        extra: { sid: tag },
      };
      const params = {
        client_id: LONG_CLIENT_ID,
        state: '{id} \u0001 " \\ 北京 \ud83d\udd11',
        scope: "openid email",
        claims: "{}",
      };
      return [
        [
          "AuthorizationCode",
          newTaggedSecret(tag),
          { ...codePayload(node, made, "shopWeb", 600), claims: { id_token: { email: null } }, dpopJkt: "x" },
        ],
        [
          "AccessToken",
          newTaggedSecret(tag),
          { ...access, kind: "AccessToken", gty: "authorization_code", claims: { userinfo: {} } },
        ],
        [
          "ClientCredentials",
          randomToken(32),
          { ...life, kind: "ClientCredentials", clientId: "billingApi", aud: "urn:a", scope: "b a", extra: {} },
        ],
        [
          "Interaction",
          uid,
          {
            ...life,
            kind: "Interaction",
            params,
            prompt: { name: "login", reasons: ["no_session", "login_prompt"], details: { deep: [{ a: 1 }] } },
            returnTo: `https://id.example.com/auth/${uid}`,
            session: { accountId: OURS, uid: tag, acr: "1", amr: ["pwd"] },
            trusted: ["login_hint"],
            result: { login: { accountId: "Zoë", ts: 1, remember: false } },
            lastSubmission: { consent: { grantId: made.grantIds["shopWeb"] } },
            cid: randomToken(16),
            grantId: made.grantIds["shopWeb"] ?? "",
          },
        ],
        [
          "PushedAuthorizationRequest",
          randomToken(16),
          { ...life, kind: "PushedAuthorizationRequest", request: JSON.stringify(params), trusted: [] },
        ],
      ];
    };

    test("is found again member for member", async () => {
      for (const [name, id, payload] of await cases()) {
        await request(node, () => node.model(name).upsert(id, { ...payload, jti: id }, 600));
        expect({ name, found: await findAnew(name, id) }).toEqual({ name, found: { ...payload, jti: id } });
      }
    });

    test("of one kind is not found as another", async () => {
      const made = await cases();
      const names = ["Session", "Grant", "RefreshToken", ...made.map(([name]) => name)];
      for (const [name, id, payload] of made) {
        await request(node, () => node.model(name).upsert(id, { ...payload, jti: id }, 600));
        for (const wrong of names.filter((candidate) => candidate !== name)) {
          expect({ name, wrong, found: await findAnew(wrong, id) }).toStrictEqual({ name, wrong, found: undefined });
        }
      }
    });

    test("that is destroyed is not found, and a late write does not bring it back", async () => {
      for (const [name, id, payload] of await cases()) {
        await request(node, () => node.model(name).upsert(id, payload, 600));
        const late = request(node, async () => {
          await node.model(name).find(id);
          await request(other, () => other.model(name).destroy(id));
          await node.model(name).upsert(id, payload, 600);
        });
        await expect(late).rejects.toMatchObject({ name: "SessionNotFound" });
        expect({ name, found: await findAnew(name, id) }).toStrictEqual({ name, found: undefined });
      }
    });

    test("can be written twice in one request", async () => {
      for (const [name, id, payload] of await cases()) {
        await request(node, async () => {
          await node.model(name).upsert(id, payload, 600);
          await node.model(name).upsert(id, { ...payload, lastSubmission: { second: true } }, 600);
        });
        expect({ name, found: await findAnew(name, id) }).toMatchObject({
          name,
          found: { lastSubmission: { second: true } },
        });
      }
    });
  });

  test("the session's id does not follow the person into the interaction", async () => {
    const uid = randomToken(16);
    const made = await alice();
    const session = { accountId: OURS, uid: made.tag, cookie: made.sessionId };
    await request(node, () => node.model("Interaction").upsert(uid, { kind: "Interaction", session }, 600));
    expect(await findAnew("Interaction", uid)).toMatchObject({ session: { accountId: OURS, uid: made.tag } });
    expect((await ground.dump()).includes(made.sessionId)).toBe(false);
  });

  test("a copy of the whole store holds no identifier that could be used, nor its secret part", async () => {
    const made = await alice(["shopWeb", "billingApi"]);
    const ids = new Map([["session", made.sessionId]]);
    const refreshToken = await issueRefreshToken(node, made, "shopWeb", { jkt: "bound" });
    ids.set("refresh token", refreshToken);
    const shortLived: [string, string, AdapterPayload][] = [
      ["AuthorizationCode", newTaggedSecret(made.tag), codePayload(node, made, "shopWeb")],
      ["AccessToken", newTaggedSecret(made.tag), { kind: "AccessToken", grantId: made.grantIds["shopWeb"] ?? "" }],
      ["AccessToken", newTaggedSecret(newTag()), { kind: "AccessToken" }],
      ["ClientCredentials", randomToken(32), { kind: "ClientCredentials", clientId: "billingApi" }],
      ["PushedAuthorizationRequest", randomToken(32), { kind: "PushedAuthorizationRequest", request: "{}" }],
    ];
    const uid = randomToken(16);
    shortLived.push([
      "Interaction",
      uid,
      {
        kind: "Interaction",
        returnTo: `https://id.example.com/auth/${uid}`,
        session: { accountId: OURS, cookie: made.sessionId },
      },
    ]);
    for (const [name, id, payload] of shortLived) {
      ids.set(`${name} ${id.length}`, id);
      await request(node, () => node.model(name).upsert(id, { ...payload, jti: id }, 600));
    }
    const replayId = randomToken(32);
    ids.set("replay", replayId);
    await request(node, () => node.state.claimReplayId(replayId, 60));
    const dump = await ground.dump();
    // The tag is a locator and stands in every key; were it not found, the search would prove nothing.
    expect(dump.includes(made.tag)).toBe(true);
    for (const [name, id] of ids) {
      for (const part of secretParts(id, made.tag))
        expect({ name, part: part.toString("latin1"), isThere: dump.includes(part) }).toMatchObject({ isThere: false });
    }
    expect(await ground.listUnending()).toEqual([]);
  });
}

/** The id, what follows its tag, and the bytes that this stands for, whole and in pieces. */
function secretParts(id: string, tag: string): Buffer[] {
  const secret = id.startsWith(tag) ? id.slice(tag.length) : id;
  const octets = Buffer.from(secret, "base64url");
  const isRefreshToken = id.length > 80;
  // A refresh token's: family (a locator), generation, family secret, secret.
  const pieces = isRefreshToken ? [octets.subarray(7, 22), octets.subarray(22)] : [octets];
  return [
    Buffer.from(id),
    Buffer.from(secret),
    ...pieces,
    ...pieces.map((piece) => Buffer.from(piece.toString("base64url"))),
  ];
}

/** Scopes are a set: they come back sorted, so that equal ones have one name in the dictionary. */
function inOneOrder(payload: AdapterPayload | undefined | void): unknown {
  const text = JSON.stringify(payload, (name, value: unknown) =>
    name === "scope" && typeof value === "string" ? value.split(" ").toSorted().join(" ") : value,
  );
  return JSON.parse(text);
}
