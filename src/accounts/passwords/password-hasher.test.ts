import * as argon2 from "argon2";
import { describe, expect, test, vi } from "vitest";
import type { HashingQueue } from "./hashing-queue.ts";
import { createPasswordHasher } from "./password-hasher.ts";

vi.mock("argon2", { spy: true });

const CHEAP = "$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
const COST = { memoryKib: 19_456, passes: 2 };
const unbounded: HashingQueue = { run: (task) => task(), load: () => ({ running: 0, waiting: 0, refused: 0 }) };
const hasher = createPasswordHasher(COST, unbounded);

describe("a password's hash", () => {
  test("is argon2id with the configured parameters and a salt of its own [ASVS 11.4.2]", async () => {
    const [first, second] = await Promise.all([hasher.hash("plum umbrella"), hasher.hash("plum umbrella")]);
    expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,(t=2,p=1|p=1,t=2)\$[^$]{22}\$[^$]{43}$/);
    expect(first).not.toBe(second);
  });

  test("matches the same password however it was composed", async () => {
    const hash = await hasher.hash("caf\u00E9 umbrella");
    expect(await hasher.verify(hash, "cafe\u0301 umbrella")).toBe(true);
  });

  test.each(["Plum umbrella 1", "plum umbrella 2", "plum umbrella 1 ", "plum umbrella ", ""])(
    "does not match %j [ASVS 6.2.8]",
    async (other) => {
      expect(await hasher.verify(await hasher.hash("plum umbrella 1"), other)).toBe(false);
    },
  );

  test("of 1,024 bytes tells passwords apart that differ in the last byte [ASVS 6.2.8]", async () => {
    const hash = await hasher.hash(`${"x".repeat(1_023)}1`);
    expect(await hasher.verify(hash, `${"x".repeat(1_023)}2`)).toBe(false);
    expect(await hasher.verify(hash, `${"x".repeat(1_023)}1`)).toBe(true);
  });

  test("is outdated when its parameters are not the configured ones", async () => {
    const hash = await hasher.hash("plum umbrella");
    expect(hasher.isOutdated(hash, "plum umbrella")).toBe(false);
    expect(createPasswordHasher({ ...COST, passes: 3 }, unbounded).isOutdated(hash, "plum umbrella")).toBe(true);
    expect(createPasswordHasher({ ...COST, memoryKib: 47_104 }, unbounded).isOutdated(hash, "plum umbrella")).toBe(
      true,
    );
  });
});

describe("an account that does not exist", () => {
  test("has a password that is never right and is verified with the same parameters [ASVS 6.3.8]", async () => {
    const hash = await hasher.hash("plum umbrella");
    expect(await hasher.verify(hash, "quince umbrella")).toBe(false);
    expect(await hasher.verify(undefined, "quince umbrella")).toBe(false);
    const [known = "", unknown = ""] = vi.mocked(argon2.verify).mock.calls.map(([digest]) => digest);
    expect(known).toBe(hash);
    expect(readCost(unknown)).toEqual(readCost(known));
    expect(unknown).not.toBe(known);
  });

  test("has another decoy on every start, so that none can be learned", async () => {
    for (const each of [hasher, createPasswordHasher(COST, unbounded)]) await each.verify(undefined, "plum umbrella");
    const decoys = vi.mocked(argon2.verify).mock.calls.map(([digest]) => digest);
    expect(new Set(decoys).size).toBe(2);
  });
});

describe("a hash of another system", () => {
  const bcrypt = "$2b$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q"; // of 72 times x
  const right = "x".repeat(72);

  test.each([
    ["bcrypt", bcrypt],
    ["none", "!"],
    ["what nobody can read", "$md5$nothing"],
    ["argon2id that is cheaper than ours", CHEAP],
  ])("(%s) costs what an account that does not exist costs, and its own [ASVS 6.3.8]", async (_, hash) => {
    vi.mocked(argon2.verify).mockClear();
    expect(await hasher.verify(hash, "quince umbrella")).toBe(false);
    const costs = vi.mocked(argon2.verify).mock.calls.map(([digest]) => readCost(digest).parameters.join());
    expect(costs.at(-1)).toBe("m=19456,p=1,t=2");
    expect(costs).toHaveLength(hash === CHEAP ? 2 : 1);
  });

  test("is right for its password, and to be made anew with ours", async () => {
    expect(await hasher.verify(bcrypt, right)).toBe(true);
    expect(hasher.isOutdated(bcrypt, right)).toBe(true);
  });

  test("of bcrypt is not made anew from a password whose end it does not know", async () => {
    expect(await hasher.verify(bcrypt, `${right}, and a slip`)).toBe(true);
    expect(hasher.isOutdated(bcrypt, `${right}, and a slip`)).toBe(false);
  });

  test("of argon2 is outdated also when only its kind is another", async () => {
    const hash = await argon2.hash("plum umbrella", {
      type: argon2.argon2i,
      memoryCost: 19_456,
      timeCost: 2,
      parallelism: 1,
    });
    expect(hasher.isOutdated(hash, "plum umbrella")).toBe(true);
  });
});

/** All of a PHC string that verifying takes time for: algorithm, version, parameters, lengths of salt and digest. */
function readCost(phc: string) {
  const [, algorithm, version, parameters = "", salt = "", digest = ""] = phc.split("$");
  return { algorithm, version, parameters: parameters.split(",").toSorted(), lengths: [salt.length, digest.length] };
}
