import { describeKeyRotation } from "./key-rotation.contract.ts";
import { openPostgresRevocations } from "./revocation-grounds.ts";

describeKeyRotation(() => openPostgresRevocations(4));
