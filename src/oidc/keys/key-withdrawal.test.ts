import { afterAll, beforeAll, expect, test } from "vitest";
import { type Audit, createAudit } from "../../audit/index.ts";
import { type Clock, createSealer } from "../../core/index.ts";
import { createRevocations, type NewRevocation, type Revocations } from "../../sessions/index.ts";
import type { Database } from "../../storage/index.ts";
import { openTestEmbedded } from "../../../test/support/stores.ts";
import { createPublishedKeys, createSigningKeys, withdrawKey } from "./index.ts";

const time = { nowMs: Date.UTC(2026, 0, 2, 3, 4, 5) };
const clock: Clock = { nowMs: () => time.nowMs };

let database: Database;
let audit: Audit;
let appended: NewRevocation[];
let revocations: Pick<Revocations, "append">;

beforeAll(async () => {
  database = await openTestEmbedded();
  audit = createAudit({ db: database.db, clock });
  appended = [];
  const real = createRevocations({ db: database.db, clock });
  revocations = {
    async append(tx, records) {
      appended.push(...records);
      await real.append(tx, records);
    },
  };
}, 30_000);

afterAll(async () => {
  await database.close();
});

const load = () => createSigningKeys({ db: database.db, clock, audit, sealer: createSealer(["s".repeat(40)]) }).load();
const deps = () => ({ db: database.db, audit, revocations });

async function kidOf(algorithm: string): Promise<string> {
  const key = (await load()).find((one) => one.algorithm === algorithm)?.key;
  return key?.kid ?? "";
}

test("a key that is withdrawn is forgotten, recorded and refused everywhere, and the next start makes another", async () => {
  const kid = await kidOf("ES256");
  const published = createPublishedKeys({ db: database.db, clock });
  expect(await published.find(kid)).toMatchObject({ algorithm: "ES256" });
  expect(await withdrawKey(deps(), kid)).toBe(true);
  expect(appended).toEqual([{ kind: "key", keyId: kid }]);
  expect(await audit.list({ type: "signing_key.withdrawn", limit: 10 })).toMatchObject([
    { data: { kid, algorithm: "ES256" } },
  ]);
  time.nowMs += 1_000;
  expect(await published.find(kid)).toBeUndefined();
  const successor = await kidOf("ES256");
  expect(successor).toMatch(/.{20}/);
  expect(successor).not.toBe(kid);
});

test("a key that there is not is not withdrawn, and nothing is recorded", async () => {
  const before = appended.length;
  expect(await withdrawKey(deps(), "no-such-key")).toBe(false);
  expect(appended).toHaveLength(before);
});

test("what cannot be recorded is not withdrawn", async () => {
  const kid = await kidOf("RS256");
  const failing = {
    append: async () => {
      throw new Error("the table is full");
    },
  };
  await expect(withdrawKey({ ...deps(), revocations: failing }, kid)).rejects.toThrow("the table is full");
  expect(await kidOf("RS256")).toBe(kid);
});

test("made-up key ids cost one reading of the table a second, whatever their number", async () => {
  let readings = 0;
  const db = database.db.withPlugin({
    transformQuery({ node }) {
      readings += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const published = createPublishedKeys({ db, clock });
  for (let index = 0; index < 50; index += 1) expect(await published.find(`made-up-${index}`)).toBeUndefined();
  expect(readings).toBe(1);
});
