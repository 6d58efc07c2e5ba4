import { describe, expect, test } from "vitest";
import { ACR_MULTI_FACTOR, ACR_PASSWORD, ACR_PHISHING_RESISTANT } from "./assurance.ts";
import { decideNext, neededAssurance, type SignInState } from "./factor-policy.ts";
import type { FactorOverview } from "./factors.ts";

const device = { id: "1", name: "Phone", addedAt: new Date(0), lastUsedAt: undefined };
const passkey = { ...device, isSynced: true, isBackedUp: true, authenticator: undefined };
const codes = (left: number, isUnconfirmed = false) => ({ left, total: 10, madeAt: new Date(0), isUnconfirmed });

const nothing: FactorOverview = { totpDevices: [], passkeys: [], recoveryCodes: undefined };
const app: FactorOverview = { ...nothing, totpDevices: [device], recoveryCodes: codes(10) };
const both: FactorOverview = { ...app, passkeys: [passkey] };

/** Somebody who has typed the right password, where a second factor is up to them. */
const typedPassword: SignInState = {
  proofs: ["password"],
  needed: ACR_PASSWORD,
  policy: "optional",
  factors: nothing,
  isTrustedBrowser: false,
};

const next = (changes: Partial<SignInState>) => decideNext({ ...typedPassword, ...changes });

describe("where a second factor is up to the person", () => {
  test("whoever has none is through", () => expect(next({})).toEqual({ step: "complete" }));

  test("whoever has one is asked for any that they have", () => {
    expect(next({ factors: app })).toEqual({ step: "prove", factors: ["totp", "recovery_code"] });
    expect(next({ factors: both })).toEqual({ step: "prove", factors: ["totp", "passkey", "recovery_code"] });
  });

  test("spent recovery codes are not offered", () => {
    expect(next({ factors: { ...app, recoveryCodes: codes(0) } })).toEqual({ step: "prove", factors: ["totp"] });
  });

  test("recovery codes alone are no second factor", () => {
    expect(next({ factors: { ...nothing, recoveryCodes: codes(10) } })).toEqual({ step: "complete" });
  });

  test("a trusted browser is not asked, unless the app asks", () => {
    expect(next({ factors: app, isTrustedBrowser: true })).toEqual({ step: "complete" });
    expect(next({ factors: app, isTrustedBrowser: true, needed: ACR_MULTI_FACTOR })).toMatchObject({ step: "prove" });
  });

  test("a passkey with its user's verification is enough by itself", () => {
    expect(next({ factors: both, proofs: ["passkey_swk"] })).toEqual({ step: "complete" });
  });
});

describe("where a second factor is required", () => {
  const needed = neededAssurance("required", ACR_PASSWORD);
  const required = { policy: "required", needed } as const;

  test("whoever has none enrolls one", () => {
    expect(next(required)).toEqual({ step: "enroll", factors: ["totp", "passkey"] });
  });

  test("no browser is trusted to go without", () => {
    expect(next({ ...required, factors: app, isTrustedBrowser: true })).toMatchObject({ step: "prove" });
  });

  test("a recovery code stands in", () => {
    expect(next({ ...required, factors: app, proofs: ["password", "recovery_code"] })).toEqual({ step: "complete" });
  });
});

describe("where second factors are off", () => {
  test("nobody is asked, and nobody is offered one", () => {
    expect(next({ policy: "off", factors: app })).toEqual({ step: "complete" });
    expect(next({ policy: "off", needed: ACR_MULTI_FACTOR })).toEqual({ step: "unreachable" });
  });

  test("who has one can still prove it to an app that asks", () => {
    expect(next({ policy: "off", factors: app, needed: ACR_MULTI_FACTOR })).toMatchObject({ step: "prove" });
  });
});

describe("where an app asks for a phishing-resistant sign-in", () => {
  const needed = ACR_PHISHING_RESISTANT;

  test("who has a passkey proves it; a code is not enough", () => {
    expect(next({ needed, factors: both, proofs: ["password", "totp"] })).toEqual({
      step: "prove",
      factors: ["passkey"],
    });
  });

  test("who has a factor proves it before a passkey is added: a stolen password adds none", () => {
    expect(next({ needed, factors: app })).toMatchObject({ step: "prove", factors: ["totp", "recovery_code"] });
    expect(next({ needed, factors: app, proofs: ["password", "totp"] })).toEqual({
      step: "enroll",
      factors: ["passkey"],
    });
  });

  test("who has nothing adds a passkey", () => {
    expect(next({ needed })).toEqual({ step: "enroll", factors: ["passkey"] });
  });
});

test("codes that were made in this sign-in are to be saved before it is complete", () => {
  const factors = { ...app, recoveryCodes: codes(10, true) };
  expect(next({ factors, proofs: ["password", "totp"] })).toEqual({ step: "save-codes" });
});

test("who has the password alone is never shown codes that were not saved yet", () => {
  const factors = { ...app, recoveryCodes: codes(10, true) };
  expect(next({ factors })).toMatchObject({ step: "prove" });
  expect(next({ factors, policy: "off" })).toEqual({ step: "complete" });
});
