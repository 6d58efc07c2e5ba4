import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createSealer, sha256 } from "../../core/index.ts";
import { codeOf, findStep, parseCode, stepAt } from "./codes.ts";
import { describeSecret, makeSecret, openSecret, renewSeal } from "./secrets.ts";

const RFC_SECRET = Buffer.from("12345678901234567890");

/** The same numbers at every run. */
function* seededNumbers(seed: string, max: number): Generator<number> {
  for (let round = 0; ; round += 1) yield sha256(`${seed} ${round}`).readUInt32BE() % max;
}

/** RFC 4226, section 5.3, by hand. */
function referenceCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", secret).update(counter).digest();
  const offset = (digest[19] ?? 0) & 0xf;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

describe("a code", () => {
  test.each([
    { seconds: 59, code: "94287082" },
    { seconds: 1_111_111_109, code: "07081804" },
    { seconds: 1_111_111_111, code: "14050471" },
    { seconds: 1_234_567_890, code: "89005924" },
    { seconds: 2_000_000_000, code: "69279037" },
    { seconds: 20_000_000_000, code: "65353130" },
  ])("at $seconds seconds is that of the standard's example [RFC 6238 appendix B]", ({ seconds, code }) => {
    expect(codeOf(RFC_SECRET, stepAt({ nowMs: () => seconds * 1_000 }))).toBe(code.slice(-6));
  });

  test("of 200 secrets at 200 times is what the standard's formula gives, and only within one step [ASVS 6.5.5]", () => {
    const steps = seededNumbers("steps", 100_000_000);
    for (let round = 0; round < 200; round += 1) {
      const secret = sha256(`secret ${round}`).subarray(0, 20);
      const now = 10 + Number(steps.next().value);
      for (const drift of [-2, -1, 0, 1, 2]) {
        const code = referenceCode(secret, now + drift);
        const found = findStep(secret, code, now);
        // Chance may give a step nearby the same code: then that one is found.
        const expected = [now + 1, now, now - 1].find((step) => referenceCode(secret, step) === code);
        expect(found).toBe(expected);
        expect(found !== undefined || Math.abs(drift) > 1).toBe(true);
      }
    }
  });

  test("two steps off is refused, one step off is not", () => {
    const now = 1_000;
    expect([-2, -1, 0, 1, 2].map((drift) => findStep(RFC_SECRET, codeOf(RFC_SECRET, now + drift), now))).toEqual([
      undefined,
      999,
      1_000,
      1_001,
      undefined,
    ]);
  });

  test("that is none is found in no step", () => {
    expect(findStep(RFC_SECRET, undefined, 1_000)).toBeUndefined();
    expect(findStep(RFC_SECRET, "", 1_000)).toBeUndefined();
  });
});

describe("what a person typed", () => {
  const SCRIPTS = ["0", "０", "٠", "۰", "०", "০", "๐", "𝟎", "𝟘"].map((zero) => zero.codePointAt(0) ?? 0);
  const BETWEEN = ["", " ", "-", "\u00A0", "\u2009", "\u2013", "  ", "\t"];

  test("is read in 500 spellings as the same six digits [ASVS 6.5.1]", () => {
    const choices = seededNumbers("spellings", 1_000_000);
    const pick = <Item>(items: readonly Item[]): Item => {
      const item = items[Number(choices.next().value) % items.length];
      if (item === undefined) throw new Error("there is nothing to pick from");
      return item;
    };
    for (let round = 0; round < 500; round += 1) {
      const code = String(Number(choices.next().value)).padStart(6, "0");
      const typed = Array.from(code, (digit) => pick(BETWEEN) + String.fromCodePoint(pick(SCRIPTS) + Number(digit)));
      expect(parseCode(`${typed.join("")}${pick(BETWEEN)}`), typed.join("")).toBe(code);
    }
  });

  test.each(["", "12345", "1234567", "12345a", "12.345", "１２３４５", "12345\u0000", "+12345", "123456;", "0x1234"])(
    "%j is no code",
    (typed) => {
      expect(parseCode(typed)).toBeUndefined();
    },
  );

  test("is not read beyond 64 characters", () => {
    expect(parseCode(`123456${" ".repeat(58)}`)).toBe("123456");
    expect(parseCode(`123456${" ".repeat(59)}`)).toBeUndefined();
  });
});

describe("a secret", () => {
  const [older, newer] = ["o".repeat(32), "n".repeat(32)];

  test("has 160 bits, and opens in the row of its device only", () => {
    const sealer = createSealer([newer]);
    const made = makeSecret(sealer, "device-1");
    expect(openSecret(sealer, made)).toHaveLength(20);
    expect(() => openSecret(sealer, { ...made, deviceId: "device-2" })).toThrow(
      expect.objectContaining({ code: "SECRET_UNKNOWN" }),
    );
  });

  test("of an older LATCHKEY_SECRET is sealed again, and one of the newest is left as it is", () => {
    const made = makeSecret(createSealer([older]), "device-1");
    const sealer = createSealer([newer, older]);
    const sealed = renewSeal(sealer, made);
    expect(sealer.isStale(made.sealed)).toBe(true);
    expect(sealer.isStale(sealed)).toBe(false);
    expect(openSecret(createSealer([newer]), { ...made, sealed })).toEqual(openSecret(sealer, made));
    expect(renewSeal(sealer, { ...made, sealed })).toBe(sealed);
  });

  test("is described to apps with issuer and account, and colons in them mislead nobody", () => {
    const described = describeSecret(RFC_SECRET, { email: "alice@example.com", brandName: "Acme: Tools & Co" });
    expect(described.secret).toBe("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    const uri = new URL(described.uri);
    expect(uri.protocol + uri.host).toBe("otpauth:totp");
    expect(decodeURIComponent(uri.pathname)).toBe("/Acme  Tools & Co:alice@example.com");
    expect(Object.fromEntries(uri.searchParams)).toMatchObject({
      secret: described.secret,
      issuer: "Acme  Tools & Co",
    });
  });
});
