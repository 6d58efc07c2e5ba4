import type { Clock, KeySeals } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import {
  readPositionBefore,
  readSealed,
  readSealedPosition,
  type SealedPage,
  type SealedRange,
} from "./read-sealed.ts";
import { freshMemory, sealSome } from "./seal-pass.ts";

export interface AuditChain {
  /** Seals what is committed and has no place in the chain yet; nothing where another node is at it. Returns how many. */
  sealWaiting(): Promise<number>;
  /** Events in the order of the chain. @throws AppError INPUT_INVALID */
  readSealed(range: SealedRange): Promise<SealedPage>;
  /** The position of the last event that was sealed: from here on all is new. */
  readPosition(): Promise<string>;
  /** The position behind which everything stands that was sealed from then on. */
  readPositionBefore(since: Date): Promise<string>;
}

export interface AuditChainDeps {
  readonly db: Db;
  readonly clock: Clock;
  /** For `audit-key`: what the key that signs checkpoints lies under. */
  readonly seals: KeySeals;
  /** Checkpoints say whose they are. */
  readonly issuer: string;
}

export function createAuditChain(deps: AuditChainDeps): AuditChain {
  const { db } = deps;
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
  };
}
