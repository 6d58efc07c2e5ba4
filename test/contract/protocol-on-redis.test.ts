import { describe } from "vitest";
import { openRedisGround } from "./grounds.ts";
import { protocolContract } from "./protocol.contract.ts";

describe("protocol state on Redis", () => {
  protocolContract(openRedisGround);
});
