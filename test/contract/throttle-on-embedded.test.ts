import { describe } from "vitest";
import { openEmbeddedRevocations } from "./revocation-grounds.ts";
import { throttleContract } from "./throttle.contract.ts";

describe("the throttle on embedded Postgres", () => {
  throttleContract(async () => {
    const ground = await openEmbeddedRevocations();
    return { ground, close: () => ground.close() };
  });
});
