import { describe } from "vitest";
import { openPostgresRevocations } from "./revocation-grounds.ts";
import { throttleContract } from "./throttle.contract.ts";

describe("the throttle on Postgres", () => {
  throttleContract(async () => {
    const ground = await openPostgresRevocations();
    return { ground, close: () => ground.close() };
  });
});
