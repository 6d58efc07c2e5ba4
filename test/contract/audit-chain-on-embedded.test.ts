import { auditChainContract } from "./audit-chain.contract.ts";
import { auditKeyContract } from "./audit-key.contract.ts";
import { auditRetentionContract } from "./audit-retention.contract.ts";
import { openEmbeddedRevocations } from "./revocation-grounds.ts";

auditChainContract(openEmbeddedRevocations);
auditKeyContract(openEmbeddedRevocations);
auditRetentionContract(openEmbeddedRevocations);
