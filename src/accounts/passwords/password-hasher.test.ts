import * as argon2 from "argon2";
import { describe, expect, test, vi } from "vitest";
import type { HashingQueue } from "./hashing-queue.ts";
import { createPasswordHasher } from "./password-hasher.ts";

vi.mock("argon2", { spy: true });

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
    expect(hasher.isOutdated(hash)).toBe(false);
    expect(createPasswordHasher({ ...COST, passes: 3 }, unbounded).isOutdated(hash)).toBe(true);
    expect(createPasswordHasher({ ...COST, memoryKib: 47_104 }, unbounded).isOutdated(hash)).toBe(true);
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

/** All of a PHC string that verifying takes time for: algorithm, version, parameters, lengths of salt and digest. */
function readCost(phc: string) {
  const [, algorithm, version, parameters = "", salt = "", digest = ""] = phc.split("$");
  return { algorithm, version, parameters: parameters.split(",").toSorted(), lengths: [salt.length, digest.length] };
}
