import { describe, expect, test } from "vitest";
import { createStrengthMeter } from "./strength-meter.ts";

const meter = createStrengthMeter();
const levelOf = (password: string): number => meter.measure(password, ["liddell", "alice"]).level;
const weaknessesOf = (password: string): readonly string[] => meter.measure(password, ["liddell", "alice"]).weaknesses;

describe("the strength of a password", () => {
  test.each([
    ["plum umbrella glacier tuesday", 4],
    ["пять зелёных чайников", 4],
    ["五つの緑色のやかんと古い時計台", 4],
    ["vbTq7!mLz0RwX%s9", 4],
    ["monkey2024!!!x", 3],
    ["charlie-monkey", 3],
    ["weltmeister1", 1],
    ["P@ssw0rdP@ssw0rd1x", 1],
    ["mynameisalice", 1],
    ["passwort123456", 1],
  ])("%j is of level %d", (password, level) => {
    expect(levelOf(password)).toBe(level);
  });

  test.each([
    ["alice5liddell", ["own_word", "common_password"]],
    ["passwort123456", ["common_password"]],
    ["pokjnbvfrt5", ["keyboard"]],
    ["abcdefghijklmn1", ["sequence"]],
    ["dogdogdogdog1", ["repetition"]],
    ["24.12.1985 1985", ["date"]],
    ["weltmeister1", ["word"]],
    ["2024geburtstag", ["word", "date"]],
  ])("%j is explained by %j", (password, weaknesses) => {
    expect(weaknessesOf(password)).toEqual(weaknesses);
  });

  test("of a long password is that of its stronger end", () => {
    const strong = "plum umbrella glacier tuesday";
    expect(levelOf("a".repeat(500))).toBe(0);
    expect(levelOf(`${"a".repeat(500)}${strong}`)).toBe(4);
    expect(levelOf(`${strong}${"a".repeat(500)}`)).toBe(4);
  });

  test("is the same however the password was composed", () => {
    const password = "café crème brûlée façade";
    expect(meter.measure(password.normalize("NFD"), [])).toEqual(meter.measure(password, []));
  });
});
