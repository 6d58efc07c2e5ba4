import { describeKeyRotation } from "./key-rotation.contract.ts";
import { openEmbeddedRevocations } from "./revocation-grounds.ts";

describeKeyRotation(openEmbeddedRevocations);
