import { sql } from "kysely";
import { AppError } from "../../core/index.ts";
import type { Audit } from "../audit.ts";
import { type AuditBacklog, readBacklog } from "./backlog.ts";
import { listTrustedKeys } from "./chain-key.ts";
import { exportCheckpoint, type ExportedCheckpoint, openStatement, type SignedStatement } from "./checkpoints.ts";
import { addMonths } from "./partitions.ts";
import {
  readPositionBefore,
  readSealed,
  readSealedPosition,
  type SealedPage,
  type SealedRange,
} from "./read-sealed.ts";
import { type ReplacedKey, replaceChainKey } from "./replace-key.ts";
import { dropOldMonths, type RetentionDeps } from "./retention.ts";
import { freshMemory, sealSome } from "./seal-pass.ts";
import { type Verification, verifyChain } from "./verify.ts";

export interface AuditChain {
  /**
   * Seals what is committed and has no place in the chain yet; nothing where another node is at it. Returns how many.
   *
   * @throws AppError SECRET_UNKNOWN when the key that signs lies under another secret than ours.
   */
  sealWaiting(): Promise<number>;
  /** Events in the order of the chain. @throws AppError INPUT_INVALID */
  readSealed(range: SealedRange): Promise<SealedPage>;
  /** The position of the last event that was sealed: behind it all is new. */
  readPosition(): Promise<string>;
  /** The position behind which everything stands that was sealed from then on. */
  readPositionBefore(since: Date): Promise<string>;
  readBacklog(): Promise<AuditBacklog>;
  /** The newest checkpoint with its signature, to be kept elsewhere. @throws AppError AUDIT_NOT_SEALED, SECRET_UNKNOWN */
  exportCheckpoint(): Promise<ExportedCheckpoint>;
  /** Finds the first break. @param given a checkpoint that was exported earlier. */
  verify(given?: ExportedCheckpoint): Promise<Verification>;
  /**
   * Goes on with another key where the one that signs was lost with its secret. An event tells of it.
   *
   * @throws AppError AUDIT_KEY_PRESENT where none was lost.
   */
  replaceKey(): Promise<ReplacedKey>;
  /** Makes room for the months to come, and drops those that are not kept any more. */
  sweep(): Promise<void>;
}

/** `seals`: for `audit-key`; `issuer`: checkpoints say whose they are. */
export interface AuditChainDeps extends RetentionDeps {
  readonly audit: Pick<Audit, "append">;
}

export function createAuditChain(deps: AuditChainDeps): AuditChain {
  const { db, clock, seals } = deps;
  const memory = freshMemory();
  return {
    async sealWaiting() {
      for (let count = 0; ;) {
        const pass = await sealSome(deps, memory);
        if (pass.type !== "sealed") return count;
        count += pass.count;
        if (!pass.isMore) return count;
      }
    },
    readSealed: (range) => readSealed(db, range),
    readPosition: () => readSealedPosition(db),
    readPositionBefore: (since) => readPositionBefore(db, since),
    readBacklog: () => readBacklog(db, clock),
    exportCheckpoint: () => exportNewest(deps),
    verify: (given) => verifyChain({ db, seals }, given),
    replaceKey: () => replaceChainKey(deps),
    async sweep() {
      await addMonths(db, clock);
      await dropOldMonths(deps);
    },
  };
}

async function exportNewest({ db, seals }: AuditChainDeps): Promise<ExportedCheckpoint> {
  const { rows } = await sql<SignedStatement>`
    select statement, signature from audit_checkpoints where kind = 'checkpoint'
      order by audit_checkpoints.position desc limit 1`.execute(db);
  const [newest] = rows;
  if (newest === undefined) throw new AppError("AUDIT_NOT_SEALED");
  for (const { publicKey } of (await listTrustedKeys(db, seals)).values()) {
    if (openStatement(newest, publicKey) !== undefined) return exportCheckpoint(newest, publicKey);
  }
  throw new AppError("SECRET_UNKNOWN", { detail: "the newest checkpoint was not signed with a key of ours" });
}
