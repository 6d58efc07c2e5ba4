import { expect, test } from "vitest";
import {
  ACR_MULTI_FACTOR,
  ACR_PASSWORD,
  ACR_PHISHING_RESISTANT,
  ACR_VALUES,
  assuranceOf,
  type Proof,
  reaches,
  strongerOf,
  weakestOf,
} from "./assurance.ts";

test.each<{ proofs: readonly Proof[]; acr: string; amr: readonly string[] }>([
  { proofs: ["password"], acr: ACR_PASSWORD, amr: ["pwd"] },
  { proofs: ["totp"], acr: ACR_PASSWORD, amr: ["otp"] },
  { proofs: ["recovery_code"], acr: ACR_PASSWORD, amr: ["otp"] },
  { proofs: ["totp", "recovery_code"], acr: ACR_PASSWORD, amr: ["otp"] },
  { proofs: ["password", "totp"], acr: ACR_MULTI_FACTOR, amr: ["pwd", "otp", "mfa"] },
  { proofs: ["password", "recovery_code"], acr: ACR_MULTI_FACTOR, amr: ["pwd", "otp", "mfa"] },
  { proofs: ["password", "totp", "recovery_code"], acr: ACR_MULTI_FACTOR, amr: ["pwd", "otp", "mfa"] },
  { proofs: ["password", "password"], acr: ACR_PASSWORD, amr: ["pwd"] },
  { proofs: ["passkey_hwk"], acr: ACR_PHISHING_RESISTANT, amr: ["hwk", "user", "mfa"] },
  { proofs: ["passkey_swk"], acr: ACR_PHISHING_RESISTANT, amr: ["swk", "user", "mfa"] },
  { proofs: ["password", "passkey_hwk"], acr: ACR_PHISHING_RESISTANT, amr: ["pwd", "hwk", "user", "mfa"] },
  { proofs: ["password", "passkey_swk"], acr: ACR_PHISHING_RESISTANT, amr: ["pwd", "swk", "user", "mfa"] },
  { proofs: ["passkey_swk", "passkey_hwk"], acr: ACR_PHISHING_RESISTANT, amr: ["swk", "user", "hwk", "mfa"] },
  {
    proofs: ["password", "totp", "passkey_hwk"],
    acr: ACR_PHISHING_RESISTANT,
    amr: ["pwd", "otp", "hwk", "user", "mfa"],
  },
])("$proofs are worth $acr, and amr says $amr [RFC 8176]", ({ proofs, acr, amr }) => {
  expect(assuranceOf(proofs)).toEqual({ acr, amr });
});

test("each class reaches itself and those before it, and no other", () => {
  const reached = ACR_VALUES.map((acr) => ACR_VALUES.map((wanted) => reaches(acr, wanted)));
  expect(reached).toEqual([
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ]);
});

test("an unknown class is reached by nothing and reaches nothing", () => {
  expect(ACR_VALUES.filter((acr) => reaches(acr, "urn:example:other"))).toEqual([]);
  expect([undefined, "", "urn:example:other"].filter((acr) => reaches(acr, ACR_PASSWORD))).toEqual([]);
});

test("the weaker and the stronger are found in any order", () => {
  expect(weakestOf([ACR_PHISHING_RESISTANT, "other", ACR_MULTI_FACTOR])).toBe(ACR_MULTI_FACTOR);
  expect(weakestOf(["other"])).toBeUndefined();
  expect(strongerOf(ACR_PASSWORD, ACR_MULTI_FACTOR)).toBe(ACR_MULTI_FACTOR);
  expect(strongerOf(ACR_PHISHING_RESISTANT, ACR_MULTI_FACTOR)).toBe(ACR_PHISHING_RESISTANT);
});
