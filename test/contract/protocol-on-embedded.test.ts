import { describe } from "vitest";
import { openEmbeddedGround } from "./grounds.ts";
import { sweepContract } from "./protocol-store.contract.ts";
import { protocolContract } from "./protocol.contract.ts";

describe("protocol state on embedded Postgres", () => {
  protocolContract(openEmbeddedGround);
  sweepContract(openEmbeddedGround);
});
