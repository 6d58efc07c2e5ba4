import { describe, expect, test } from "vitest";
import { AppError } from "../../core/index.ts";
import { createPasswordPolicy } from "./password-policy.ts";
import type { PasswordStrength } from "./password-refusal.ts";

const alice = { email: "alice.liddell@wonderland.example", name: "Alice Liddell" };

/** A policy of which it is seen who was asked. */
function createScene({ level = 4, leaked = false, charactersMin = 12 } = {}) {
  const asked: string[] = [];
  const policy = createPasswordPolicy({
    charactersMin,
    strength: {
      async estimate({ password, ownWords }) {
        asked.push(`strength of ${password}, ${ownWords.join(" ")}`);
        return { level: level as PasswordStrength["level"], weaknesses: ["word"] };
      },
    },
    breachList: {
      async contains(password) {
        asked.push(`leak of ${password}`);
        return leaked;
      },
    },
  });
  return { policy, asked };
}

describe("the password policy", () => {
  test("accepts what is long, uncommon, strong and has not leaked", async () => {
    const { policy, asked } = createScene({ level: 3 });
    await policy.accept("plum umbrella glacier", alice);
    expect(asked).toEqual([
      "strength of plum umbrella glacier, aliceliddellwonderlandexample aliceliddell wonderland latchkey liddell example alice",
      "leak of plum umbrella glacier",
    ]);
  });

  test.each([
    [8, "vbTq7!mL", "vbTq7!m"],
    [15, "vbTq7!mLz0RwX%s", "vbTq7!mLz0RwX%"],
  ])("of %d characters takes as many and not one less [ASVS 6.2.1]", async (charactersMin, enough, tooFew) => {
    const { policy } = createScene({ charactersMin });
    await policy.accept(enough, alice);
    await expect(policy.accept(tooFew, alice)).rejects.toMatchObject({
      reason: "too_short",
      refusal: { fault: "too_short", charactersMin },
    });
  });

  test("accepts 128 characters of any script, spaces included [ASVS 6.2.9] [SP 800-63B-4 3.1.1.2]", async () => {
    const { policy } = createScene();
    for (const text of [
      "correct zebra under the stairs ",
      "пять зелёных чайников ",
      "五つの緑色のやかん ",
      "🐙🦊🐝🦉🐢🦋🐳🦜🐌🦔🐿🦀",
    ]) {
      const password = Array.from(text.repeat(20)).slice(0, 128).join("");
      await expect(policy.accept(password, alice)).resolves.toBeUndefined();
    }
  });

  test("refuses what is weak, with its strength, and asks nobody else about it", async () => {
    const { policy, asked } = createScene({ level: 2, leaked: true });
    await expect(policy.accept("plum umbrella glacier", alice)).rejects.toMatchObject({
      code: "PASSWORD_UNACCEPTABLE",
      reason: "too_weak",
      refusal: { fault: "too_weak", strength: { level: 2, weaknesses: ["word"] } },
    });
    expect(asked).toHaveLength(1);
  });

  test("refuses what has leaked [ASVS 6.2.12] [SP 800-63B-4 3.1.1.2]", async () => {
    const { policy } = createScene({ leaked: true });
    await expect(policy.accept("plum umbrella glacier", alice)).rejects.toMatchObject({ reason: "breached" });
  });

  test.each(["password1234", "Alice.Liddell", "half \uD800 a character"])(
    "costs nothing for %j, which the rules refuse",
    async (password) => {
      const { policy, asked } = createScene();
      await expect(policy.accept(password, alice)).rejects.toBeInstanceOf(AppError);
      expect(asked).toEqual([]);
    },
  );
});
