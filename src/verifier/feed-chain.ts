import { asVerifierError, VerifierError } from "./errors.ts";
import { type FeedConnection, type FeedConnectionDeps, type FeedEnd, openFeed } from "./feed-connection.ts";
import { createFeedTokens, type FeedToken } from "./feed-tokens.ts";
import { type IssuerMetadata, requireEndpoint } from "./issuer-metadata.ts";
import type { IssuerRequests } from "./issuer-requests.ts";
import type { KeptValue } from "./kept-value.ts";
import type { RevocationView } from "./revocation-view.ts";
import { delayMsAfter, within } from "./waiting.ts";

export interface FeedChainDeps extends FeedConnectionDeps {
  readonly audience: string;
  readonly metadata: KeptValue<IssuerMetadata>;
  readonly requests: IssuerRequests;
  readonly view: RevocationView;
  readonly onError: (error: VerifierError) => void;
}

/** Connections that take over from each other, so that a token's end is no gap. */
export interface FeedChain {
  /** Connects and stays connected until something breaks. @throws VerifierError if it cannot connect. */
  hold(): Promise<{ readonly end: FeedEnd; readonly wasUpToDate: boolean }>;
}

/** A connection with the token that opened it. */
interface Link {
  readonly connection: FeedConnection;
  readonly token: FeedToken;
}

/** A token that is due at once, because it lives for moments only, must not make us ask without end. */
const RENEW_AFTER_MS_MIN = 50;

export function createFeedChain(deps: FeedChainDeps, closed: AbortSignal): FeedChain {
  const tokens = createFeedTokens(deps);
  // Of two connections the later one is listened to as soon as it has begun to speak, and the earlier no more.
  let opened = 0;
  let heard = 0;

  async function open(): Promise<Link> {
    const url = await feedUrl(deps);
    const token = await tokens.get();
    if (closed.aborted) throw new VerifierError("verifier_closed");
    opened += 1;
    const number = opened;
    const connection = openFeed(deps, {
      url,
      token: token.value,
      position: deps.view.position(),
      onEvent(event) {
        if (closed.aborted || number < heard) return;
        heard = number;
        deps.view.apply(event);
      },
    });
    closeWith(closed, connection);
    return { connection, token };
  }

  /** Absent: it did not work, and the old connection is still there. */
  async function openSuccessor(): Promise<Link | undefined> {
    try {
      const successor = await open();
      if (await successor.connection.begun) return successor;
      const end = await successor.connection.ended;
      if (end.type === "token_refused") tokens.discard(successor.token);
      deps.onError(errorOfEnd(end));
    } catch (error) {
      deps.onError(asVerifierError(error));
    }
    return undefined;
  }

  return {
    async hold() {
      let current = await open();
      for (let failures = 0; ;) {
        const dueInMs = current.token.renewAtMs - deps.platform.monotonicMs();
        const delayMs = failures === 0 ? Math.max(dueInMs, RENEW_AFTER_MS_MIN) : delayMsAfter(failures, deps.platform);
        const end = await within(current.connection.ended, delayMs, deps.platform);
        if (end !== undefined) {
          if (end.type === "token_refused") tokens.discard(current.token);
          return { end, wasUpToDate: current.connection.wasUpToDate() };
        }
        // By its own clock the token may be due a moment later than the timer has it.
        tokens.discard(current.token);
        const successor = await openSuccessor();
        failures = successor === undefined ? failures + 1 : 0;
        if (successor === undefined) continue;
        current.connection.close();
        current = successor;
      }
    },
  };
}

async function feedUrl({ metadata, audience }: FeedChainDeps): Promise<string> {
  const { revocationFeedEndpoint } = await metadata.get();
  const url = new URL(requireEndpoint(revocationFeedEndpoint, "revocation_feed_endpoint"));
  url.searchParams.set("audience", audience);
  return url.href;
}

function closeWith(closed: AbortSignal, connection: FeedConnection): void {
  const close = (): void => connection.close();
  closed.addEventListener("abort", close);
  void connection.ended.then(() => closed.removeEventListener("abort", close));
}

export function errorOfEnd(end: FeedEnd): VerifierError {
  switch (end.type) {
    case "refused":
      return end.error;
    case "token_refused":
      return new VerifierError("revocations_refused", { detail: "the feed does not take the token" });
    case "busy":
      return new VerifierError("issuer_unavailable", { detail: `the feed answered ${end.status}` });
    case "cut":
      return new VerifierError("issuer_unavailable", { detail: end.detail, cause: end.cause });
    case "closed":
    default:
      return new VerifierError("verifier_closed");
  }
}
