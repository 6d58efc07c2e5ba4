import { asVerifierError } from "./errors.ts";
import { createFeedChain, errorOfEnd, type FeedChainDeps } from "./feed-chain.ts";
import type { FeedEnd } from "./feed-connection.ts";
import { delayMsAfter, pause } from "./waiting.ts";

/** Keeps a view of revocations up to date until it is closed. */
export interface FeedReader {
  close(): Promise<void>;
}

export function createFeedReader(deps: FeedChainDeps): FeedReader {
  const closing = new AbortController();
  const chain = createFeedChain(deps, closing.signal);

  async function run(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted;) {
      let delayMs = 0;
      try {
        const { end, wasUpToDate } = await chain.hold();
        failures = wasUpToDate ? 0 : failures + 1;
        if (end.type === "busy") delayMs = end.retryAfterMs;
        if (isWorthTelling(end, failures)) deps.onError(errorOfEnd(end));
      } catch (error) {
        failures += 1;
        if (!closing.signal.aborted) deps.onError(asVerifierError(error));
      }
      await pause(Math.max(delayMs, delayMsAfter(failures, deps.platform)), closing.signal, deps.platform);
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

/** The first refusal of a token is a matter of time: it has ended or was revoked, and the next one will do. */
function isWorthTelling(end: FeedEnd, failures: number): boolean {
  return end.type !== "closed" && (end.type !== "token_refused" || failures > 1);
}
