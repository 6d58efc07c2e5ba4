import { describe } from "vitest";
import { passkeysContract } from "./passkeys.contract.ts";
import { recoveryCodesContract } from "./recovery-codes.contract.ts";
import { openPostgresRevocations } from "./revocation-grounds.ts";
import { POOL_MAX } from "./factors-scene.ts";
import { totpContract } from "./totp.contract.ts";

const openGround = () => openPostgresRevocations(POOL_MAX);

describe("authenticator apps on Postgres", () => {
  totpContract(openGround);
});
describe("recovery codes on Postgres", () => {
  recoveryCodesContract(openGround);
});
describe("passkeys on Postgres", () => {
  passkeysContract(openGround);
});
