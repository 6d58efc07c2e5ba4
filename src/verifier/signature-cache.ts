import type { Platform } from "./platform.ts";
import type { VouchedToken } from "./verified-token.ts";

/** Tokens whose signature was verified, so that each is verified once. Says nothing about now: that is asked each time. */
export interface SignatureCache {
  find(digest: string): VouchedToken | undefined;
  remember(digest: string, token: VouchedToken): void;
  clear(): void;
  readonly size: number;
}

/**
 * Bounded by number; the oldest goes first, whether used since or not: tokens live for minutes, and keeping the order
 * of use would cost every call. What has expired goes when something is remembered.
 */
export function createSignatureCache(deps: {
  readonly platform: Platform;
  readonly entriesMax: number;
  readonly toleranceSeconds: number;
}): SignatureCache {
  const entries = new Map<string, VouchedToken>();

  function makeRoom(): void {
    const endedBefore = deps.platform.nowMs() / 1_000 - deps.toleranceSeconds;
    for (const [digest, { token }] of entries) {
      if (entries.size < deps.entriesMax && token.expiresAt > endedBefore) return;
      entries.delete(digest);
    }
  }

  return {
    find: (digest) => entries.get(digest),
    remember(digest, token) {
      if (deps.entriesMax === 0) return;
      makeRoom();
      entries.set(digest, token);
    },
    clear: () => entries.clear(),
    get size() {
      return entries.size;
    },
  };
}
