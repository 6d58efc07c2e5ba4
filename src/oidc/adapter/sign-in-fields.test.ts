import { describe, expect, test } from "vitest";
import { randomOctets, randomToken } from "../../core/index.ts";
import type { Dictionary } from "./dictionary.ts";
import {
  createFieldCodec,
  decodeAuthorization,
  decodeOwner,
  decodeTime,
  encodeAuthorization,
  encodeOwner,
  encodeTime,
  type FamilyValue,
  readFamilyHead,
  readMention,
  withMention,
} from "./sign-in-fields.ts";

/** The longest value that Redis keeps in a compact list. */
const LISTPACK_VALUE_BYTES_MAX = 64;

function createMemoryDictionary(isFull = false): Dictionary {
  const texts = new Map<string, string>();
  return {
    async intern(text) {
      if (isFull) return undefined;
      const name = Buffer.from(String(texts.size).padStart(6, "0"));
      texts.set(name.toString(), text);
      return name;
    },
    peek: () => undefined,
    resolve: async (name) => texts.get(name.toString()),
  };
}

const family: FamilyValue = {
  endsAt: 1_900_000_000,
  begunAt: 1_800_000_000,
  firstIssuedAt: 1_700_000_000,
  authenticatedAt: 1_600_000_000,
  generation: 2 ** 28 - 1,
  familyDigest: randomOctets(8),
  secretDigest: randomOctets(12),
  nonce: randomOctets(6),
  grantName: randomToken(6),
  recurring: { clientId: "shopWeb", scope: "email openid profile", resource: ["urn:a", "urn:b"] },
};

describe("a value of a sign-in", () => {
  const codec = createFieldCodec(createMemoryDictionary());
  const login = { begunAt: 1, authenticatedAt: 2, isTransient: true, recurring: { acr: "1", amr: ["pwd"] } };
  const mention = { hasSid: true, persistsLogout: false };
  const grant = {
    endsAt: 4,
    mention,
    begunAt: 3,
    recurring: { clientId: "shopWeb", openid: { scope: "email openid" } },
  };

  test("is read as it was written", async () => {
    expect(await codec.decodeLogin(await codec.encodeLogin(login))).toEqual(login);
    expect(await codec.decodeGrant(await codec.encodeGrant(grant))).toEqual(grant);
    expect(await codec.decodeFamily(await codec.encodeFamily(family))).toEqual(family);
  });

  test("of a login that was renewed is read as it was written, and so is a grant that no session knows", async () => {
    const renewed = { ...login, authenticatedAt: login.begunAt + 86_400, isTransient: false };
    expect(await codec.decodeLogin(await codec.encodeLogin(renewed))).toEqual(renewed);
    const unknown = { ...grant, mention: undefined };
    expect(await codec.decodeGrant(await codec.encodeGrant(unknown))).toEqual(unknown);
  });

  test("of a grant is marked without being read as a whole", async () => {
    const value = await codec.encodeGrant({ ...grant, mention: undefined });
    expect(readMention(value)).toBeUndefined();
    const marked = withMention(value, mention);
    expect(readMention(marked)).toEqual(mention);
    expect(await codec.decodeGrant(marked)).toEqual(grant);
    expect(withMention(marked, undefined)).toEqual(value);
  });

  test("is short enough for a compact list", async () => {
    const values = [await codec.encodeLogin(login), await codec.encodeGrant(grant), await codec.encodeFamily(family)];
    expect(Math.max(...values.map(({ length }) => length))).toBeLessThanOrEqual(LISTPACK_VALUE_BYTES_MAX);
  });

  test("is written out where the dictionary is full", async () => {
    const plain = createFieldCodec(createMemoryDictionary(true));
    const value = await plain.encodeFamily(family);
    expect(value.toString("latin1")).toContain("shopWeb");
    // Read by a node that can name: what was written out needs no dictionary.
    expect(await codec.decodeFamily(value)).toEqual(family);
  });

  test("whose name the dictionary does not know is not there", async () => {
    const stranger = createFieldCodec(createMemoryDictionary());
    expect(await stranger.decodeGrant(await codec.encodeGrant(grant))).toBeUndefined();
    expect(await stranger.decodeFamily(await codec.encodeFamily(family))).toBeUndefined();
  });

  test("that is cut off anywhere is not there, and nothing throws", async () => {
    const cuts = async (value: Buffer, decode: (cut: Buffer) => Promise<unknown>): Promise<unknown[]> =>
      Promise.all(Array.from(value, (_, length) => decode(value.subarray(0, length))));
    const decoded = [
      ...(await cuts(await codec.encodeLogin(login), (cut) => codec.decodeLogin(cut))),
      ...(await cuts(await codec.encodeGrant(grant), (cut) => codec.decodeGrant(cut))),
      ...(await cuts(await codec.encodeFamily(family), (cut) => codec.decodeFamily(cut))),
    ];
    expect(new Set(decoded)).toEqual(new Set([undefined]));
  });

  test("names the same content by the same text, whatever the order of members and scopes", async () => {
    const texts: string[] = [];
    const noting = createFieldCodec({
      intern: async (text) => (texts.push(text), undefined),
      peek: () => undefined,
      resolve: async () => undefined,
    });
    await noting.encodeGrant({ ...grant, recurring: { b: { scope: "x a" }, a: 1 } });
    await noting.encodeGrant({ ...grant, recurring: { a: 1, b: { scope: "a x" } } });
    expect(texts[0]).toBe(texts[1]);
  });

  test("moves a time that does not fit to the safe side", async () => {
    const ancient = { ...family, authenticatedAt: 0 };
    expect(await codec.decodeFamily(await codec.encodeFamily(ancient))).toMatchObject({
      authenticatedAt: family.firstIssuedAt - (2 ** 28 - 1),
    });
    // Clocks of two nodes that disagree: what comes first cannot be later than what it led to.
    const ahead = { ...family, authenticatedAt: family.firstIssuedAt + 3, begunAt: family.endsAt + 5 };
    expect(await codec.decodeFamily(await codec.encodeFamily(ahead))).toMatchObject({
      authenticatedAt: family.firstIssuedAt,
      begunAt: family.endsAt,
    });
  });

  test("of more generations than fit is not written", async () => {
    await expect(codec.encodeFamily({ ...family, generation: 2 ** 28 })).rejects.toThrow(RangeError);
  });

  test("tells its end, and a family its grant, without the dictionary", async () => {
    const value = await codec.encodeFamily(family);
    expect(decodeTime(value)).toBe(family.endsAt);
    expect(readFamilyHead(value)).toMatchObject({ grantName: family.grantName, generation: family.generation });
    expect(decodeTime(encodeTime(7))).toBe(7);
    expect(decodeTime(undefined)).toBe(0);
    expect(decodeTime(Buffer.from([1]))).toBe(0);
  });
});

describe("an owner", () => {
  test("with an id of ours takes 16 bytes", () => {
    expect(encodeOwner(randomToken(16))).toHaveLength(16);
  });

  test.each([
    "kR3vVb7mSTy0Hq2Ck9yW5Q",
    "alice",
    "bob@example.com",
    "Zoë 北京",
    "a",
    "AA",
    "AB",
    "a-_",
    "",
    "fifteen letters",
    "sixteen letters!",
  ])("%j is read as it was written", (accountId) => {
    expect(decodeOwner(encodeOwner(accountId))).toBe(accountId);
  });
});

describe("an authorization", () => {
  test.each([
    { clientId: "shopWeb", hasSid: true, persistsLogout: true },
    { clientId: "Läden 店 ".repeat(30), hasSid: false, persistsLogout: false },
    { clientId: "x", hasSid: true, persistsLogout: false },
  ])("of $clientId is read as it was written", (value) => {
    expect(decodeAuthorization(encodeAuthorization(value))).toEqual(value);
  });
});
