import { describe } from "vitest";
import { passkeysContract } from "./passkeys.contract.ts";
import { recoveryCodesContract } from "./recovery-codes.contract.ts";
import { openEmbeddedRevocations } from "./revocation-grounds.ts";
import { totpContract } from "./totp.contract.ts";

describe("authenticator apps on embedded Postgres", () => {
  totpContract(openEmbeddedRevocations);
});
describe("recovery codes on embedded Postgres", () => {
  recoveryCodesContract(openEmbeddedRevocations);
});
describe("passkeys on embedded Postgres", () => {
  passkeysContract(openEmbeddedRevocations);
});
