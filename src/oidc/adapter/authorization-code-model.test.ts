import { errors } from "oidc-provider";
import { expect, test } from "vitest";
import { createAuthorizationCodeModel } from "./authorization-code-model.ts";
import { newGrantId, newTag, newTaggedSecret } from "./identifiers.ts";
import { createFieldCodec, familyField, NO_NONCE } from "./sign-in-fields.ts";
import { createSignIns } from "./sign-ins.ts";
import type { Fields, ProtocolStore } from "./store.ts";

const REDEEMED_AT = 1_800_000_000;

/** A code that has just been used, in a store of one process; `move` lets time pass, `issue` adds a family to its grant. */
async function createFixture({ hasFamily = false } = {}) {
  let nowSeconds = REDEEMED_AT;
  const keys = new Map<string, Fields>();
  const store: ProtocolStore = {
    read: async (wanted) => wanted.map((key) => keys.get(key) ?? new Map()),
    async change(key, { set }) {
      keys.set(key, new Map([...(keys.get(key) ?? []), ...(set ?? [])]));
      return true;
    },
    delete: async (key) => void keys.delete(key),
  };
  const clock = { nowMs: () => nowSeconds * 1000 };
  const tag = newTag();
  const code = newTaggedSecret(tag);
  const grantId = newGrantId(tag);
  const codes = createAuthorizationCodeModel({ store, clock, signIns: createSignIns({ store, clock }) });
  await codes.upsert(code, { kind: "AuthorizationCode", iat: REDEEMED_AT, grantId }, 60);
  const codec = createFieldCodec({
    peek: () => undefined,
    intern: async () => undefined,
    resolve: async () => undefined,
  });
  const issue = async ({ family = "fam1", ofGrant = grantId } = {}): Promise<void> => {
    const value = await codec.encodeFamily({
      endsAt: REDEEMED_AT + 1_000,
      begunAt: REDEEMED_AT,
      firstIssuedAt: REDEEMED_AT,
      authenticatedAt: REDEEMED_AT,
      generation: 0,
      familyDigest: Buffer.alloc(8),
      nonce: NO_NONCE,
      secretDigest: Buffer.alloc(12),
      grantName: ofGrant.slice(-8),
      recurring: {},
    });
    const key = `lk:{${tag}}`;
    keys.set(key, new Map([...(keys.get(key) ?? []), [familyField(family), value]]));
  };
  if (hasFamily) await issue();
  await codes.consume(code);
  return { issue, find: () => codes.find(code), move: (seconds: number) => (nowSeconds += seconds) };
}

test("a second use while the first is under way is refused without being reported as a replay", async () => {
  const { find } = await createFixture();
  await expect(find()).rejects.toThrow(errors.InvalidGrant);
});

test("a second use after tokens were issued is a replay [RFC 6749 4.1.2]", async () => {
  const { find, issue } = await createFixture();
  await issue();
  expect(await find()).toMatchObject({ consumed: REDEEMED_AT });
});

test("tokens of another grant, or that were there when the code was consumed, do not count as issued", async () => {
  const { find, issue } = await createFixture();
  await issue({ ofGrant: newGrantId(newTag()) });
  await expect(find()).rejects.toThrow(errors.InvalidGrant);
  const earlier = await createFixture({ hasFamily: true });
  await expect(earlier.find()).rejects.toThrow(errors.InvalidGrant);
  await earlier.issue({ family: "fam2" });
  expect(await earlier.find()).toMatchObject({ consumed: REDEEMED_AT });
});

test("a second use is a replay after two seconds, whatever the first one issued", async () => {
  const { find, move } = await createFixture();
  move(1);
  await expect(find()).rejects.toThrow(errors.InvalidGrant);
  move(1);
  expect(await find()).toMatchObject({ consumed: REDEEMED_AT });
});
