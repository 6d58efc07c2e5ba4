import { describe } from "vitest";
import { openPostgresGround } from "./grounds.ts";
import { sweepContract } from "./protocol-store.contract.ts";
import { protocolContract } from "./protocol.contract.ts";

describe("protocol state on Postgres", () => {
  protocolContract(openPostgresGround);
  sweepContract(openPostgresGround);
});
