import { describe, expect, test } from "vitest";
import { randomOctets } from "../../core/index.ts";
import {
  artifactKey,
  newGrantId,
  newRefreshFamily,
  newTag,
  newTaggedSecret,
  nextInRefreshFamily,
  NONCE_BYTES,
  parseGrantId,
  parseRefreshToken,
  parseTag,
  parseTaggedSecret,
  type RefreshTokenParts,
  signInKey,
} from "./identifiers.ts";

const tag = newTag();

function partsOf(token: string): RefreshTokenParts {
  const parts = parseRefreshToken(token);
  if (parts === undefined) throw new Error("not a refresh token");
  return parts;
}

describe("an identifier", () => {
  test("leads to its sign-in", () => {
    expect(parseTag(tag)).toBe(tag);
    expect(parseTaggedSecret(newTaggedSecret(tag))?.tag).toBe(tag);
    expect(parseGrantId(newGrantId(tag))?.tag).toBe(tag);
    expect(parseRefreshToken(newRefreshFamily(tag))?.tag).toBe(tag);
  });

  test("has a secret of 256 bits of its own", () => {
    const [first, second] = [parseTaggedSecret(newTaggedSecret(tag)), parseTaggedSecret(newTaggedSecret(tag))];
    expect(Buffer.from(first?.secret ?? "", "base64url")).toHaveLength(32);
    expect(first?.secret).not.toBe(second?.secret);
    expect(partsOf(newRefreshFamily(tag)).secret).toHaveLength(32);
  });

  test("of one shape is none of another", () => {
    const ids = [tag, newTaggedSecret(tag), newGrantId(tag), newRefreshFamily(tag)];
    for (const parse of [parseTag, parseTaggedSecret, parseGrantId, parseRefreshToken]) {
      expect(ids.filter((id) => parse(id) !== undefined)).toHaveLength(1);
    }
  });

  test.each(["", "x", " ".repeat(16), "ä".repeat(59), `${tag}\n`, "a".repeat(10_000)])("such as %j is none", (id) => {
    for (const parse of [parseTag, parseTaggedSecret, parseGrantId, parseRefreshToken])
      expect(parse(id)).toBeUndefined();
  });
});

describe("a refresh token", () => {
  const nonce = randomOctets(NONCE_BYTES);

  test("is the first of its family, and a successor shares all but generation and secret", () => {
    const first = partsOf(newRefreshFamily(tag));
    const next = partsOf(nextInRefreshFamily(first, nonce, ""));
    expect(first.generation).toBe(0);
    expect(next).toEqual({ ...first, generation: 1, secret: expect.any(Buffer) });
    expect(next.secret).not.toEqual(first.secret);
  });

  test("has one successor for a nonce and a binding, and another for any other", () => {
    const first = partsOf(newRefreshFamily(tag));
    const successor = nextInRefreshFamily(first, nonce, "a");
    expect(nextInRefreshFamily(first, Buffer.from(nonce), "a")).toBe(successor);
    const others = [
      nextInRefreshFamily(first, randomOctets(NONCE_BYTES), "a"),
      nextInRefreshFamily(first, nonce, "b"),
      nextInRefreshFamily(first, nonce, ""),
      nextInRefreshFamily({ ...first, secret: randomOctets(32) }, nonce, "a"),
    ];
    expect(new Set([successor, ...others]).size).toBe(5);
  });

  test("begins a family under a name that is not taken", () => {
    const taken = new Set<string>();
    const isNews: boolean[] = [];
    const token = newRefreshFamily(tag, (family) => {
      isNews.push(!taken.has(family));
      return taken.add(family).size < 3;
    });
    expect(isNews).toEqual([true, true, true]);
    expect(partsOf(token).family).toBe([...taken].at(-1));
  });
});

describe("a key", () => {
  test("keeps what belongs to one sign-in in one slot of a Redis cluster", () => {
    expect(signInKey(tag)).toBe(`lk:{${tag}}`);
    expect(artifactKey("c", newTaggedSecret(tag))).toMatch(new RegExp(`^lk:\\{${tag}\\}c:[\\w-]{22}$`));
  });

  test("holds a digest of the id, and is another one for each kind", () => {
    const id = newTaggedSecret(tag);
    expect(artifactKey("c", id)).not.toContain(id.slice(16));
    expect(artifactKey("c", id)).not.toBe(artifactKey("k", id));
    expect(artifactKey("n", "some-uid")).toMatch(/^lk:n:[\w-]{22}$/);
  });
});
