import { describe } from "vitest";
import { openEmbeddedRevocations } from "./revocation-grounds.ts";
import { revocationsContract } from "./revocations.contract.ts";

describe("revocations on embedded Postgres", () => {
  revocationsContract(openEmbeddedRevocations);
});
