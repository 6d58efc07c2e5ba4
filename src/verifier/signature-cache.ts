import type { Platform } from "./platform.ts";
import type { VouchedToken } from "./verified-token.ts";

/** Tokens whose signature was verified, so that each is verified once. Says nothing about now: that is asked each time. */
export interface SignatureCache {
  find(digest: string): VouchedToken | undefined;
  /** Of another edition than the present one nothing is remembered: its keys may have gone meanwhile. */
  remember(digest: string, token: VouchedToken, edition: number): void;
  /** Begins a new edition. */
  clear(): void;
  /** To be taken before a signature is verified. */
  readonly edition: number;
  readonly size: number;
}

interface Entry {
  readonly vouched: VouchedToken;
  readonly rememberedAtMs: number;
}

/**
 * After so long a signature is verified again. That looks at the keys, and these are asked for anew when they are old: a
 * key that the issuer no longer shows must not live on in the tokens that are remembered.
 */
const AGE_MS_MAX = 10 * 60 * 1_000;

/**
 * Bounded by number; the oldest goes first, whether used since or not: tokens live for minutes, and keeping the order
 * of use would cost every call. What has expired goes when something is remembered.
 */
export function createSignatureCache(deps: {
  readonly platform: Platform;
  readonly entriesMax: number;
  readonly toleranceSeconds: number;
}): SignatureCache {
  const { platform, entriesMax, toleranceSeconds } = deps;
  const entries = new Map<string, Entry>();
  let edition = 0;

  const isOld = ({ rememberedAtMs }: Entry, nowMs: number): boolean => nowMs - rememberedAtMs >= AGE_MS_MAX;

  function makeRoom(nowMs: number): void {
    const endedBefore = nowMs / 1_000 - toleranceSeconds;
    for (const [digest, entry] of entries) {
      if (entries.size < entriesMax && !isOld(entry, nowMs) && entry.vouched.token.expiresAt > endedBefore) return;
      entries.delete(digest);
    }
  }

  return {
    find(digest) {
      const entry = entries.get(digest);
      return entry === undefined || isOld(entry, platform.nowMs()) ? undefined : entry.vouched;
    },
    remember(digest, vouched, ofEdition) {
      if (entriesMax === 0 || ofEdition !== edition) return;
      const rememberedAtMs = platform.nowMs();
      // In the order of time, also when it is remembered again.
      entries.delete(digest);
      makeRoom(rememberedAtMs);
      entries.set(digest, { vouched, rememberedAtMs });
    },
    clear() {
      edition += 1;
      entries.clear();
    },
    get edition() {
      return edition;
    },
    get size() {
      return entries.size;
    },
  };
}
