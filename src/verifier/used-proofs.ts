import { VerifierError } from "./errors.ts";
import type { UsedProofs } from "./options.ts";
import type { Platform } from "./platform.ts";

/** Some 1,500 proofs a second for as long as they live. */
const PROOFS_MAX = 100_000;

/**
 * Used proofs, in this process. All are remembered for the same time, so the oldest entries are the first to expire.
 *
 * When it is full of living proofs new ones are refused: forgetting one would let it be used again.
 */
export function createUsedProofs(deps: {
  readonly platform: Platform;
  readonly proofsMax?: number;
}): UsedProofs & { readonly size: number } {
  const expiries = new Map<string, number>();
  const proofsMax = deps.proofsMax ?? PROOFS_MAX;

  function forgetExpired(): void {
    const nowSeconds = deps.platform.nowMs() / 1_000;
    for (const [key, expiresAt] of expiries) {
      if (expiresAt > nowSeconds) return;
      expiries.delete(key);
    }
  }

  return {
    async consume(key, expiresAt) {
      forgetExpired();
      if (expiries.has(key)) return false;
      if (expiries.size >= proofsMax) throw new VerifierError("proofs_exhausted");
      expiries.set(key, expiresAt);
      return true;
    },
    get size() {
      return expiries.size;
    },
  };
}
