import { auditChainContract } from "./audit-chain.contract.ts";
import { auditRetentionContract } from "./audit-retention.contract.ts";
import { openEmbeddedRevocations } from "./revocation-grounds.ts";

auditChainContract(openEmbeddedRevocations);
auditRetentionContract(openEmbeddedRevocations);
