import type { Factors } from "../../src/mfa/index.ts";

const refuse = async (): Promise<never> => {
  throw new Error("nobody here has a second factor");
};

/** Nobody has any. */
export const noFactors: Factors = {
  hasAny: async () => false,
  overview: async () => ({ totpDevices: [], passkeys: [], recoveryCodes: undefined }),
  totp: { beginEnrollment: refuse, confirmEnrollment: refuse, verify: refuse },
  recoveryCodes: { replace: refuse, reveal: refuse, confirmSaved: refuse, verify: refuse },
  passkeys: {
    creationOptions: refuse,
    register: refuse,
    requestOptions: async () => ({ challenge: "challenge-1" }),
    verify: async () => ({ outcome: "refused" }),
  },
  rename: refuse,
  remove: refuse,
  reset: refuse,
  removeSince: refuse,
  reseal: refuse,
  sweep: refuse,
};

/** Somebody has an authenticator app and nothing else, and has just got recovery codes. */
export const oneApp: Factors = {
  ...noFactors,
  hasAny: async () => true,
  totp: { ...noFactors.totp, beginEnrollment: async () => ({ secret: "ABCDEFGH", uri: "otpauth://totp/x?secret=A" }) },
  passkeys: { ...noFactors.passkeys, creationOptions: async () => ({ challenge: "challenge-1" }) },
  recoveryCodes: { ...noFactors.recoveryCodes, reveal: async () => ["aaaa-bbbb", "cccc-dddd"] },
  overview: async () => ({
    totpDevices: [{ id: "app-1", name: "Phone", addedAt: new Date(0), lastUsedAt: undefined }],
    passkeys: [],
    recoveryCodes: { left: 9, total: 10, madeAt: new Date(0), isUnconfirmed: false },
  }),
};

/** What pages need of second factors, where nobody has any and no browser is known. */
export const withoutFactors = {
  factors: noFactors,
  knownBrowsers: {
    tokenOf: () => undefined,
    recognize: async () => undefined,
    isNews: async () => false,
    note: async () => undefined,
  },
  trustedBrowserSeconds: 0,
  clock: { nowMs: () => 1_000 },
} as const;
