import { type RevocableToken, RevokedSet } from "../verifier/index.ts";
import type { Revocation } from "./revocation-page.ts";

/** The records that still matter, in memory: to be asked about tokens, and to be read in order. */
export interface LivingRevocations {
  /** Adds what was committed after everything that is here already. */
  add(records: readonly Revocation[]): void;
  isRevoked(token: RevocableToken, nowSeconds: number): boolean;
  /** The next records after `id`, ascending. */
  listAfter(id: number, recordsMax: number): readonly Revocation[];
  /** Drops what has expired; returns the greatest id among it. */
  forgetExpired(nowSeconds: number): number | undefined;
  /** Forgets the order and keeps what is revoked: a table that lost its history took nothing back. */
  forgetOrder(): void;
  readonly firstId: number | undefined;
}

export function createLivingRevocations(): LivingRevocations {
  const revoked = new RevokedSet();
  let records: Revocation[] = [];
  let unknownUntil = 0;

  return {
    add(found) {
      for (const record of found) {
        // Written by a newer version of ours. Nobody here can say what it refuses, so everything is refused.
        if (!revoked.add(record)) unknownUntil = Math.max(unknownUntil, record.expiresAt);
        records.push(record);
      }
    },
    isRevoked: (token, nowSeconds) => nowSeconds < unknownUntil || revoked.isRevoked(token),
    listAfter(id, recordsMax) {
      const at = firstAfter(records, id);
      return records.slice(at, at + recordsMax);
    },
    forgetExpired(nowSeconds) {
      revoked.forgetExpired(nowSeconds);
      const forgotten = records.findLast(({ expiresAt }) => expiresAt <= nowSeconds);
      if (forgotten !== undefined) records = records.filter(({ expiresAt }) => expiresAt > nowSeconds);
      return forgotten?.id;
    },
    forgetOrder() {
      records = [];
    },
    get firstId() {
      return records[0]?.id;
    },
  };
}

/** Where the first record after `id` stands in the ascending list. */
function firstAfter(records: readonly Revocation[], id: number): number {
  let [low, high] = [0, records.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle]?.id ?? 0) <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}
