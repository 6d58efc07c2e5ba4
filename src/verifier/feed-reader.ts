import { asVerifierError } from "./errors.ts";
import { createFeedChain, errorOfEnd, type FeedChainDeps } from "./feed-chain.ts";
import type { FeedEnd } from "./feed-connection.ts";
import type { Platform } from "./platform.ts";
import { delayMsAfter, pause } from "./waiting.ts";

/** Keeps a view of revocations up to date until it is closed. */
export interface FeedReader {
  close(): Promise<void>;
}

/**
 * After an epoch, new tokens are refused for five seconds as well. Who waited longer before each of these attempts would
 * be stale for as long again after everybody else's tokens work.
 */
const PASSING_REFUSAL_DELAY_MS_MAX = 1_000;
/** They last for more than five seconds, at every second or half of it. */
const PASSING_REFUSALS_MAX = 15;

export function createFeedReader(deps: FeedChainDeps): FeedReader {
  const closing = new AbortController();
  const chain = createFeedChain(deps, closing.signal);

  async function run(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted;) {
      let end: FeedEnd | undefined;
      try {
        const held = await chain.hold();
        ({ end } = held);
        failures = held.wasUpToDate ? 0 : failures + 1;
        if (isWorthTelling(end, failures)) deps.onError(errorOfEnd(end));
      } catch (error) {
        failures += 1;
        if (!closing.signal.aborted) deps.onError(asVerifierError(error));
      }
      await pause(delayMsBeforeNext(end, failures, deps.platform), closing.signal, deps.platform);
    }
  }

  const running = run();
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}

/** Absent end: it could not connect. */
function delayMsBeforeNext(end: FeedEnd | undefined, failures: number, platform: Platform): number {
  const delayMs = delayMsAfter(failures, platform);
  if (end?.type === "busy") return Math.max(end.retryAfterMs, delayMs);
  const isPassing = end?.type === "token_refused" && failures <= PASSING_REFUSALS_MAX;
  return isPassing ? Math.min(delayMs, PASSING_REFUSAL_DELAY_MS_MAX) : delayMs;
}

/** The first refusal of a token is a matter of time: it has ended or was revoked, and the next one will do. */
function isWorthTelling(end: FeedEnd, failures: number): boolean {
  return end.type !== "closed" && (end.type !== "token_refused" || failures > 1);
}
