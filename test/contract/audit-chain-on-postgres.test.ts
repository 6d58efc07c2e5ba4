import { auditChainContract } from "./audit-chain.contract.ts";
import { auditKeyContract } from "./audit-key.contract.ts";
import { auditRetentionContract } from "./audit-retention.contract.ts";
import { openPostgresRevocations } from "./revocation-grounds.ts";

auditChainContract(() => openPostgresRevocations(4));
auditKeyContract(() => openPostgresRevocations(4));
auditRetentionContract(() => openPostgresRevocations(4));
