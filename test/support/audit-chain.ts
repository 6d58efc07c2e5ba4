import { type AuditChain, createAudit, createAuditChain } from "../../src/audit/index.ts";
import { type Clock, createKeySeals } from "../../src/core/index.ts";
import type { Db } from "../../src/storage/index.ts";

/** The chain of a test's audit log, for what reads in its order. */
export function openTestChain(db: Db, clock: Clock): AuditChain {
  const seals = createKeySeals(["a secret of 32 bytes or more 0123456789"], "audit-key");
  const audit = createAudit({ db, clock });
  const about = { issuer: "https://id.example.com", retentionDays: 400 };
  return createAuditChain({ db, patientDb: db, clock, seals, audit, ...about });
}
