import { VerifierError } from "./errors.ts";
import { type IssuerMetadata, requireEndpoint } from "./issuer-metadata.ts";
import type { IssuerRequests } from "./issuer-requests.ts";
import type { KeptValue } from "./kept-value.ts";
import type { Platform } from "./platform.ts";

/** A token that opens the feed. Times are of the monotonic clock. */
export interface FeedToken {
  readonly value: string;
  /** From here on another one should be used; some time before the end, so that there is no gap between the two. */
  readonly renewAtMs: number;
}

export interface FeedTokens {
  /** One that need not be renewed yet. */
  get(): Promise<FeedToken>;
  /** The issuer did not take it. */
  discard(token: FeedToken): void;
}

const LIFETIME_SECONDS_DEFAULT = 300;
const RENEW_BEFORE_MS_MAX = 30_000;

/** Client-credentials tokens with the scope `revocations` (RFC 6749, section 4.4). */
export function createFeedTokens(deps: {
  readonly metadata: KeptValue<IssuerMetadata>;
  readonly requests: IssuerRequests;
  readonly platform: Platform;
}): FeedTokens {
  let kept: FeedToken | undefined;

  async function request(): Promise<FeedToken> {
    const { tokenEndpoint } = await deps.metadata.get();
    // Counted from before the request: the token may be as old as that.
    const askedAtMs = deps.platform.monotonicMs();
    const answer = await deps.requests.postForm(requireEndpoint(tokenEndpoint, "token_endpoint"), {
      grant_type: "client_credentials",
      scope: "revocations",
    });
    const { access_token: value, expires_in: lifetime } = answer;
    if (typeof value !== "string" || !/^[\w.~+/-]+=*$/.test(value)) {
      throw new VerifierError("issuer_unavailable", { detail: "its token endpoint answered without a token" });
    }
    const lifetimeMs = (typeof lifetime === "number" && lifetime > 0 ? lifetime : LIFETIME_SECONDS_DEFAULT) * 1_000;
    return { value, renewAtMs: askedAtMs + lifetimeMs - Math.min(RENEW_BEFORE_MS_MAX, lifetimeMs / 4) };
  }

  return {
    async get() {
      if (kept === undefined || kept.renewAtMs <= deps.platform.monotonicMs()) kept = await request();
      return kept;
    },
    discard(token) {
      if (kept === token) kept = undefined;
    },
  };
}
