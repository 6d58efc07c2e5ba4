import type { VerifierEvents } from "./events.ts";
import type { FeedEvent } from "./feed-events.ts";
import { createFeedFreshness } from "./feed-freshness.ts";
import { ageMsOf, momentOf, type Platform } from "./platform.ts";
import { type RevocableToken, RevokedSet } from "./revoked-set.ts";

/** What this service knows of revocations, and whether that is enough to rely on. */
export interface RevocationView {
  /** @throws RevocationViewFull */
  apply(event: FeedEvent): void;
  isRevoked(token: RevocableToken): boolean;
  isLive(): boolean;
  /** After which id to go on; absent: from the beginning. */
  position(): string | undefined;
  heartbeatAgeMs(): number | undefined;
  size(): number;
  /** Stops telling. */
  close(): void;
}

/** Far more than a feed of minutes can hold. */
const RECORDS_MAX = 1_000_000;
const FORGET_EVERY_MS = 10_000;

export class RevocationViewFull extends Error {
  override readonly name = "RevocationViewFull";
}

/**
 * `reset` announces the whole set anew. Until the heartbeat that completes it, what was known before stays in force
 * beside what comes, and so at no moment less is refused than the issuer has told.
 */
export function createRevocationView(deps: {
  readonly platform: Platform;
  readonly staleAfterMs: number;
  readonly emit: <Name extends "live" | "stale" | "revocation">(name: Name, event: VerifierEvents[Name]) => void;
}): RevocationView {
  const { platform, staleAfterMs, emit } = deps;
  const freshness = createFeedFreshness(platform, staleAfterMs);
  let inForce = new RevokedSet();
  let announced: RevokedSet | undefined;
  let position: string | undefined;
  let forgottenAt = momentOf(platform);
  let isToldLive = false;
  let cancelTimer = (): void => undefined;

  function tellSilence(): void {
    if (!isToldLive || freshness.isFresh()) return;
    isToldLive = false;
    emit("stale", { reason: "silence" });
  }

  function takeRevocation({ id, record }: Extract<FeedEvent, { type: "revocation" }>): void {
    if (inForce.size >= RECORDS_MAX) throw new RevocationViewFull("the feed has too many revocations");
    announced?.add(record);
    const isKnown = inForce.add(record);
    position = id;
    if (isKnown) return emit("revocation", { ...record, id });
    if (!freshness.distrustUntil(record.expiresAt)) return;
    isToldLive = false;
    emit("stale", { reason: "unknown_kind" });
  }

  function takeHeartbeat({ id, sentAt }: Extract<FeedEvent, { type: "heartbeat" }>): void {
    inForce = announced ?? inForce;
    announced = undefined;
    position = id;
    // While a machine was suspended no timer ran, and one that was woken may hear of us before its timers do.
    tellSilence();
    freshness.heartbeat();
    cancelTimer();
    cancelTimer = platform.setTimer(tellSilence, staleAfterMs);
    if (ageMsOf(forgottenAt, platform) >= FORGET_EVERY_MS) {
      forgottenAt = momentOf(platform);
      // Records end by the issuer's clock. Where ours was ahead and is then set right, tokens live again.
      inForce.forgetExpired(Math.min(freshness.safeNowSeconds(), sentAt ?? Number.POSITIVE_INFINITY));
    }
    if (isToldLive || !freshness.isFresh()) return;
    isToldLive = true;
    emit("live", { position: id });
  }

  return {
    apply(event) {
      if (event.type === "revocation") return takeRevocation(event);
      if (event.type === "heartbeat") return takeHeartbeat(event);
      announced = new RevokedSet();
      position = undefined;
    },
    isRevoked: (token) => inForce.isRevoked(token),
    isLive: () => freshness.isFresh(),
    position: () => position,
    heartbeatAgeMs: () => freshness.heartbeatAgeMs(),
    size: () => inForce.size,
    close: () => cancelTimer(),
  };
}
